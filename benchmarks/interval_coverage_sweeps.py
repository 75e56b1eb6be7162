"""Are the intervals of finalize honest, and is the search's own score?

REPEATS small sweeps of TRIALS trials on `digits`, a seed each, over a handful of configurations of nearly equal worth,
so that luck decides which is the best of a search; each is finalized with SEEDS fresh seeds. The truth about a
configuration is the mean of all the seeds that the *other* sweeps gave it: other sweeps have other seeds. An honest
95 % interval holds it 95 times in 100; the table gives the counts, and which of them a right interval has with 95 %
(binomial). The truth has an error of its own, by the number of its seeds (last column), which lowers the rate by a
point or less. The search's score is of one training on val, so it is held against the interval on val.

    python benchmarks/interval_coverage_sweeps.py [REPEATS] [FOLDER] [FIRST]

With a FOLDER, which is kept, a run that was stopped goes on. The sweeps have the seeds FIRST, FIRST + 1, ... (from 0).
"""

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from lib.results_table import keep
from numpy.typing import NDArray
from rich.console import Console
from scipy.stats import binom

import gensweep.tune.run_tuner  # noqa: F401  before any thread imports Ray Tune as well: its modules import in a circle
from analysis.base.paired_tests import interval
from analysis.read import results
from analysis.sweep import final_results, ranking
from gensweep import Sweep
from gensweep.sweep import finalize
from gensweep.tune import ray_session

REPEATS, TRIALS, SEEDS, SLOTS = 40, 8, 10, 2
MODEL, SET = "vae", {"net": "mlp", "width": "32", "latent_dim": "8", "likelihood": "bernoulli", "beta": "1"}
SET |= {"epochs": "1", "batch_size": "16", "lr": "0.004,0.005,0.006"}
LEVEL = 0.95
Scores = NDArray[np.float64]


class Told(NamedTuple):
    """One finalist of one sweep: its scores by split [SEEDS]; the search's score where it was the search's best."""

    sweep: int
    what: str  # "the pick" or "the defaults"
    config: str
    val: Scores
    test: Scores
    search: float


def sweep(seed: int, folder: Path) -> list[Told]:
    """Runs one sweep and its proof, or what is left of them."""
    name, quiet = f"sweep-{seed:02d}", Console(quiet=True)
    options: dict[str, Any] = {
        "trials": TRIALS,
        "sampler": "random",
        "scheduler": "none",
        "concurrent": SLOTS,
        "set": SET,
    }
    Sweep(MODEL, seed=seed, name=name, results=str(folder), quiet=True, **options).run()
    directory = folder / name
    finalize.run(finalize.FinalizeOptions(str(directory), top=1, seeds=SEEDS, concurrent=SLOTS), ["benchmark"], quiet)
    found = results.load(directory)
    proof = final_results.load(found)
    assert proof is not None
    lead = ranking.winner_numbers(found, 1)[0]
    return [
        Told(
            seed,
            "the pick" if one.number == lead else "the defaults",
            str(results.read_trial(found, one.number).config["lr"]),
            one.val,
            one.test,
            one.search if one.number == lead else float("nan"),
        )
        for one in proof.finalists
    ]


def holds(ends: tuple[float, float], value: float) -> bool:
    return ends[0] <= value <= ends[1]


def table(told: list[Told]) -> tuple[list[list[str]], bool]:
    """The rows, and whether an interval of finalize holds the truth too rarely. A row counts one interval a sweep: the
    two of a sweep share their seeds."""
    seeds: dict[str, dict[int, Told]] = defaultdict(dict)
    for one in told:
        seeds[one.config].setdefault(one.sweep, one)  # the pick may have the very configuration of the defaults
    rows, wrong = [], False
    for split in ("test", "val"):
        for what in ("the pick", "the defaults"):
            some = [one for one in told if one.what == what]
            truths = {one.sweep: _truth(seeds[one.config], one.sweep, split) for one in some}
            known = [one for one in some if len(truths[one.sweep])]
            inside = [holds(interval(getattr(one, split)), float(truths[one.sweep].mean())) for one in known]
            row, few = _row(
                f"{what}: mean of many seeds", split, inside, "–", [len(truth) for truth in truths.values()]
            )
            rows.append(row)
            wrong |= few
    picks = [one for one in told if np.isfinite(one.search)]
    inside = [holds(interval(one.val), one.search) for one in picks]
    gap = [(one.val.mean() - one.search) / one.val.std(ddof=1) for one in picks]
    rows.append(_row("the pick: the search's own score", "val", inside, f"{np.mean(gap):.1f} sd too good", [])[0])
    return rows, wrong


def _truth(seeds: dict[int, Told], sweep: int, split: str) -> Scores:
    """The scores of a configuration in the other sweeps."""
    found = [getattr(one, split) for other, one in seeds.items() if other != sweep]
    return np.concatenate(found) if found else np.array([])


def _row(what: str, split: str, inside: list[bool], far: str, behind: list[int]) -> tuple[list[str], bool]:
    """A row of the table, and whether fewer lie inside than a right interval has."""
    n = len(inside)
    low, high = (int(end) for end in binom.interval(LEVEL, n, LEVEL)) if n else (0, 0)
    share = f"{np.mean(inside):.0%}" if n else "–"
    seeds = f"{np.mean(behind):.0f}" if behind else "–"
    return [what, split, f"{sum(inside)} of {n}", share, f"{low} to {high}", far, seeds], sum(inside) < low


def main() -> int:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS
    first, began = int(sys.argv[3]) if len(sys.argv) > 3 else 0, time.monotonic()
    told: list[Told] = []
    with tempfile.TemporaryDirectory() as spare:
        results = Path(sys.argv[2] if len(sys.argv) > 2 else spare)
        with ray_session.ray_environment(), ray_session.connect(None, {"num_cpus": SLOTS}):
            for done in range(repeats):
                told += sweep(first + done, results)
                print(f"{done + 1} of {repeats}, {time.monotonic() - began:.0f} s", flush=True)
    rows, wrong = table(told)
    columns = ["what", "split", "in the interval", "share", "of a right interval", "how far off", "seeds of the truth"]
    minutes = f"{(time.monotonic() - began) / 60:.1f} minutes."
    title = f"Of {repeats} sweeps: what lies in the 95 % interval of {SEEDS} fresh seeds"
    keep("interval_coverage_sweeps", title, columns, rows, f"{minutes}\n\n{__doc__}")
    return int(wrong)


if __name__ == "__main__":
    raise SystemExit(main())

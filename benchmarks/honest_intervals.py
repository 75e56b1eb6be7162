"""Are the intervals of finalize honest, and is the search's own score?

REPEATS small sweeps of TRIALS trials on `digits`, a seed each, over a handful of configurations of nearly equal worth,
so that luck decides which is the best of a search; each is finalized with SEEDS fresh seeds. The truth about a
configuration is the mean of all the seeds that the *other* sweeps gave it: other sweeps have other seeds. An honest
95 % interval holds it 95 times in 100; the table gives the counts, and which of them a right interval has with 95 %
(binomial). The truth has an error of its own, by the number of its seeds (last column), which lowers the rate by a
point or less. The search's score is of one training on val, so it is held against the interval on val.

    python benchmarks/honest_intervals.py [REPEATS] [FOLDER]

With a FOLDER, which is kept, a run that was stopped goes on.
"""

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from scipy.stats import binom
from table import keep

from analysis import best, final, runs
from analysis.paired import interval
from gensweep import Sweep, cluster, finalize

REPEATS, TRIALS, SEEDS, SLOTS = 40, 10, 10, 2
MODEL, SET = "vae", {"net": "mlp", "width": "32", "latent_dim": "8", "likelihood": "bernoulli", "beta": "1"}
SET |= {"epochs": "1", "batch_size": "16", "lr": "0.004,0.005,0.006"}
LEVEL = 0.95


class Told(NamedTuple):
    """One finalist of one sweep: its scores by split [SEEDS]; the search's score where it was the search's best."""

    sweep: int
    config: str
    val: np.ndarray[tuple[int], np.dtype[np.float64]]
    test: np.ndarray[tuple[int], np.dtype[np.float64]]
    search: float


def sweep(seed: int, results: Path) -> list[Told]:
    """Runs one sweep and its proof, or what is left of them."""
    name, quiet = f"sweep-{seed:02d}", Console(quiet=True)
    options: dict[str, Any] = {
        "trials": TRIALS,
        "sampler": "random",
        "scheduler": "none",
        "concurrent": SLOTS,
        "set": SET,
    }
    Sweep(MODEL, seed=seed, name=name, results=str(results), quiet=True, **options).run()
    directory = results / name
    finalize.run(finalize.Asked(str(directory), top=1, seeds=SEEDS, concurrent=SLOTS), ["benchmark"], quiet)
    found = runs.load(directory)
    proof = final.load(found)
    assert proof is not None
    lead = best.winners(found, 1)[0]
    return [
        Told(
            seed,
            str(runs.trial(found, one.number).config["lr"]),
            one.val,
            one.test,
            one.search if one.number == lead else float("nan"),
        )
        for one in proof.finalists
    ]


def holds(ends: tuple[float, float], value: float) -> bool:
    return ends[0] <= value <= ends[1]


def table(told: list[Told]) -> tuple[list[list[str]], bool]:
    """The rows, and whether an interval of finalize holds the truth too rarely."""
    seeds: dict[str, dict[int, Told]] = defaultdict(dict)
    for one in told:
        seeds[one.config][one.sweep] = one
    rows, wrong = [], False
    for split in ("test", "val"):
        counts = {"mean of many seeds": [0, 0], "the search's own score": [0, 0]}
        others, gap = [], []
        for one in told:
            rest = [getattr(each, split) for sweep, each in seeds[one.config].items() if sweep != one.sweep]
            if not rest:
                continue
            truth, mine = np.concatenate(rest), getattr(one, split)
            others.append(len(truth))
            counts["mean of many seeds"][0] += holds(interval(mine), float(truth.mean()))
            counts["mean of many seeds"][1] += 1
            if split == "val" and np.isfinite(one.search):
                counts["the search's own score"][0] += holds(interval(mine), one.search)
                counts["the search's own score"][1] += 1
                gap.append((float(truth.mean()) - one.search) / float(truth.std(ddof=1)))
        for what, (inside, of) in counts.items():
            if of:
                low, high = (int(end) for end in binom.interval(LEVEL, of, LEVEL))
                far = f"{np.mean(gap):.2f} sd too good" if gap and what != "mean of many seeds" else "–"
                share = f"{inside / of:.0%}"
                rows.append(
                    [what, split, f"{inside} of {of}", share, f"{low} to {high}", far, f"{np.mean(others):.0f}"]
                )
                wrong |= what == "mean of many seeds" and inside < low
    return rows, wrong


def main() -> int:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS
    began = time.monotonic()
    told: list[Told] = []
    with tempfile.TemporaryDirectory() as spare:
        results = Path(sys.argv[2] if len(sys.argv) > 2 else spare)
        with cluster.environment(), cluster.connected(None, {"num_cpus": SLOTS}):
            for seed in range(repeats):
                told += sweep(seed, results)
                print(f"{seed + 1} of {repeats}, {time.monotonic() - began:.0f} s", flush=True)
    rows, wrong = table(told)
    columns = ["what", "split", "in the interval", "share", "of a right interval", "how far off", "seeds of the truth"]
    minutes = f"{(time.monotonic() - began) / 60:.1f} minutes."
    title = f"Of {repeats} sweeps: what lies in the 95 % interval of {SEEDS} fresh seeds"
    keep("honest_intervals", title, columns, rows, f"{minutes}\n\n{__doc__}")
    return int(wrong)


if __name__ == "__main__":
    raise SystemExit(main())

"""What the bridge costs: a suggestion and a trial's record with 1,000 trials in the study, SQLite on disk.

Batches of 100 trials of the `vae` space on a study that holds STORED ended ones; a trial reports once and ends. Ours
and Ray's OptunaSearch (the same space and sampler settings, Optuna's storage as it is) take turns, ROUNDS each, and the
figures are medians over all trials. "Sampler" is the time inside Optuna's sampler; with OptunaSearch that includes the
reading of the database that the sampler asks for. Must be <= 10 ms besides the sampler; "CPU" is the same in processor
time, for machines that are busy otherwise. All in ms a trial.
"""

import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import optuna
from lib.results_table import keep
from optuna.samplers import BaseSampler
from optuna.storages import RDBStorage
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from analysis.read.manifest import SweepManifest
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.search import optuna_samplers
from gensweep.search.study_storage import open_study
from gensweep.sweep.run_sweep import search_space
from gensweep.tune.searcher import StudySearcher
from search_spaces.override import default

CALLED = {"ours": "gensweep", "plain": "OptunaSearch"}
STORED, BATCH, ROUNDS, MUST_MS = 1000, 100, 3, 10.0
COLUMNS = ["searcher", "sampler", "suggest", "record", "sampler's share", "besides it", "suggest + record, CPU"]
COLUMNS += ["sampler's share, CPU", "besides it, CPU"]
TIMED = ("infer_relative_search_space", "sample_relative", "sample_independent", "before_trial", "after_trial")


class Cost(NamedTuple):
    """Seconds of one trial."""

    suggest: float
    record: float
    sampler: float
    besides: float
    cpu: float
    sampler_cpu: float
    besides_cpu: float


Spent = list[tuple[float, float]]  # wall and processor seconds


def timed(sampler: BaseSampler, spent: Spent) -> BaseSampler:
    """The sampler, which notes in `spent` how long each of its calls took."""

    def noting(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any) -> Any:
            began, cpu = time.perf_counter(), time.process_time()
            try:
                return call(*args)
            finally:
                spent.append((time.perf_counter() - began, time.process_time() - cpu))

        return wrapped

    for name in TIMED:
        setattr(sampler, name, noting(getattr(sampler, name)))
    return sampler


def batch(searcher: Searcher, spent: Spent) -> list[Cost]:
    """The cost of each of BATCH trials."""
    found = []
    for i in range(BATCH):
        spent.clear()
        cpu, began = time.process_time(), time.perf_counter()
        config = searcher.suggest(f"trial-{i}")
        asked = time.perf_counter()
        fid = float(config["lr"])  # type: ignore[index]
        row = {"epoch": 1, "epochs": 1, "eval_epoch": 1, "status": "ok", "fid": fid, "best": fid}
        searcher.on_trial_complete(f"trial-{i}", {**row, "training_iteration": 1})
        ended = time.perf_counter()
        cpu = time.process_time() - cpu
        sampler, sampler_cpu = (sum(column) for column in zip(*spent, strict=True)) if spent else (0.0, 0.0)
        besides = ended - began - sampler
        found.append(Cost(asked - began, ended - asked, sampler, besides, cpu, sampler_cpu, cpu - sampler_cpu))
    return found


def ours(folder: Path, manifest: SweepManifest) -> list[Cost]:
    space, spent = search_space(manifest), Spent()
    with open_study(folder, manifest, default(space)[1]) as study:
        study.sampler = timed(study.sampler, spent)
        return batch(StudySearcher(study, space.space, manifest.goal, STORED + BATCH), spent)


def plain(folder: Path, manifest: SweepManifest) -> list[Cost]:
    spent = Spent()
    sampler = timed(getattr(optuna_samplers, manifest.sampler)(manifest.seed, manifest.space), spent)
    storage = RDBStorage(f"sqlite:///{folder / 'study.db'}")
    space: Any = search_space(manifest).space
    searcher = OptunaSearch(space, "fid", "min", sampler=sampler, storage=storage, study_name=manifest.study)
    return batch(searcher, spent)


def filled(folder: Path, manifest: SweepManifest) -> None:
    """A study with STORED ended trials, of random configurations."""
    space = search_space(manifest)
    with open_study(folder, manifest, default(space)[1]) as study:
        study.sampler = optuna.samplers.RandomSampler(0)
        searcher = StudySearcher(study, space.space, manifest.goal, STORED)
        for i in range(STORED // BATCH):
            batch(searcher, [])
            print(f"{(i + 1) * BATCH} stored", flush=True)


def main() -> int:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table, worst = [], 0.0
    warnings.simplefilter("ignore", UserWarning)  # of OptunaSearch, where a suggestion takes a second
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory(dir="/var/tmp") as root:  # a disk, where /tmp may be memory
        first = Path(root) / "filled"
        first.mkdir()
        command = ["benchmark"]
        filled(first, make_manifest(Options("vae", trials=STORED, sampler="random", epochs=1), command))
        for name in ("random", "tpe"):
            manifest = make_manifest(Options("vae", trials=STORED + BATCH, sampler=name, epochs=1), command)
            costs: dict[Any, list[Cost]] = {ours: [], plain: []}
            for turn in range(rounds):
                for way in costs:
                    folder = shutil.copytree(first, Path(root) / f"{name}-{way.__name__}-{turn}")
                    costs[way] += way(folder, manifest)
            for way, found in costs.items():
                middle = Cost(*(1000 * statistics.median(column) for column in zip(*found, strict=True)))
                table.append([CALLED[way.__name__], name, *(f"{figure:.1f}" for figure in middle)])
                worst = max(worst, middle.besides) if way is ours else worst
    keep("searcher_overhead", f"Suggest and record at {STORED:,} stored trials", COLUMNS, table, __doc__ or "")
    return int(worst > MUST_MS)


if __name__ == "__main__":
    raise SystemExit(main())

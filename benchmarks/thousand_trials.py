"""1,000 trials of one second on two slots: how much longer than 500 s they take, and what the driver grows by.

A trial sleeps for a second and reports once; TPE with its usual settings, SQLite. "Start" is from the opening of the
study to the start of the first trial, "over" is from there to the last trial's end, against trials / slots seconds, as
a share. "Growth" is of the driver's resident memory from the 100th trial on (plain: from the 20th), in MB for each
1,000 trials. Beside it 100 trials the ordinary way: ray.tune's OptunaSearch with SQLite and Ray's defaults.
Must be <= 10 % over and <= 100 MB; the goal is 5 %.
"""

import functools
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import optuna
import ray
import ray.cloudpickle
from empty_trials import Clock, End, now
from lib.results_table import keep
from ray import tune
from ray.tune.search.optuna import OptunaSearch
from rich.console import Console

from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.sweep.run_sweep import search_space
from gensweep.tune import ray_session, run_tuner
from gensweep.tune.resources import Share

TRIALS, PLAIN, SLOTS, SLEEP_S, MUST_OVER, MUST_MB = 1000, 100, 2, 1.0, 0.10, 100.0
COLUMNS = ["how", "trials", "start, s", "all, s", "ideal, s", "over", "driver CPU, ms a trial", "growth, MB"]


def sleeping(config: dict[str, Any], *, data: Any = None, evaluator: Any = None, task: Any = None) -> None:
    """A trial that only takes its time."""
    time.sleep(SLEEP_S)
    score = config["lr"]
    tune.report({"epoch": 1, "epochs": 1, "eval_epoch": 1, "status": "ok", "fid": score, "best": score})


def ours(folder: Path, trials: int) -> tuple[End, list[End]]:
    manifest = make_manifest(Options("vae", trials=trials, epochs=1), ["benchmark"])
    clock, nothing = Clock(), (None, None)
    began = now()
    parts: Any = nothing
    run_tuner.run(
        folder, manifest, search_space(manifest), parts, Share(1, 0, SLOTS), None, Console(file=clock), sleeping
    )
    return began, clock.ends


class Ends(tune.Callback):
    def __init__(self, ends: list[End]) -> None:
        self.ends = ends

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.ends.append(now())

    def __getstate__(self) -> dict[str, Any]:
        return {"ends": []}


def searched(trial: optuna.Trial) -> dict[str, Any]:
    """The space, where OptunaSearch can find it by name: it pickles its searcher."""
    return dict(the_space().space(trial))


@functools.cache
def the_space() -> Any:
    return search_space(make_manifest(Options("vae", epochs=1), ["benchmark"]))


def plain(folder: Path, trials: int) -> tuple[End, list[End]]:
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / 'study.db'}")
    searcher = OptunaSearch(searched, metric="fid", mode="min", seed=0, storage=storage)
    ends = list[End]()
    began = now()
    config = tune.TuneConfig(search_alg=searcher, num_samples=trials, max_concurrent_trials=SLOTS)
    run = tune.RunConfig(storage_path=str(folder), verbose=0, callbacks=[Ends(ends)])
    tune.Tuner(sleeping, tune_config=config, run_config=run).fit()
    return began, ends


def line(how: str, began: End, ends: list[End], skip: int) -> tuple[list[str], float, float]:
    """A row of the table, what it took over the ideal as a share, and the growth."""
    trials, ideal = len(ends), len(ends) * SLEEP_S / SLOTS
    first = ends[0].wall_s - SLEEP_S
    took = ends[-1].wall_s - first
    over, rest = took / ideal - 1, trials - skip
    growth = 1000 * (ends[-1].resident - ends[skip].resident) / rest
    cpu = 1000 * (ends[-1].cpu_s - ends[skip].cpu_s) / rest
    start = first - began.wall_s
    figures = [f"{start:.1f}", f"{took:.1f}", f"{ideal:.0f}", f"{100 * over:.1f} %", f"{cpu:.0f}", f"{growth:.0f}"]
    return [how, f"{trials:,}", *figures], over, growth


def main() -> int:
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS
    own_ray = ray_session.connect(None, {"num_cpus": SLOTS})
    with tempfile.TemporaryDirectory() as folder, ray_session.ray_environment(), own_ray:
        row, over, growth = line("gensweep", *ours(Path(folder), trials), min(100, trials // 5))
    with tempfile.TemporaryDirectory() as folder:
        ray.init(num_cpus=SLOTS, include_dashboard=False, log_to_driver=False)
        other, *_ = line("OptunaSearch, Ray's defaults", *plain(Path(folder), PLAIN), PLAIN // 5)
        ray.shutdown()
    keep("thousand_trials", f"{trials:,} trials of {SLEEP_S:g} s, {SLOTS} slots", COLUMNS, [row, other], __doc__ or "")
    return int(over > MUST_OVER or growth > MUST_MB)


if __name__ == "__main__":
    raise SystemExit(main())

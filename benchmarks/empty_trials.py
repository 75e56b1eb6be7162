"""Empty trials per second through our searcher and SQLite: what a trial costs besides training. Two slots.

Each trial reports one row and ends; medians of the runs. "All" is from the opening of the study to the last trial,
"steady" leaves the first 20 trials out; the start of Ray is in neither. Must be >= 15 a second; the goal is 25. The
row of TPE holds what it computes itself, which random search does not.
"""

import io
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from lib.results_table import keep
from rich.console import Console

from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.sweep.run_sweep import search_space
from gensweep.tune import ray_session, run_tuner
from gensweep.tune.resources import Share

TRIALS, WARM, RUNS, SLOTS, MUST = 200, 20, 3, 2, 15.0
COLUMNS = ["sampler", "trials/s, all", "trials/s, steady", "driver CPU, ms a trial", "each run, all"]


class Rate(NamedTuple):
    overall: float  # trials a second
    steady: float
    driver_ms: float  # of the driver's processor, a trial


class End(NamedTuple):
    """When a trial ended, and what the driver had used by then."""

    wall_s: float
    cpu_s: float
    resident: float  # MB


def now() -> End:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return End(time.monotonic(), time.process_time(), pages * resource.getpagesize() / 1e6)


class Clock(io.StringIO):
    """What the sweep prints to: a line a finished trial, whose end is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[End] = []

    def write(self, text: str) -> int:
        if text.startswith("trial "):
            self.ends.append(now())
        return len(text)


def empty(config: dict[str, Any], *, data: Any, evaluator: Any, task: Any) -> None:
    """A trial that only reports."""
    from ray import tune

    score = config["lr"]
    tune.report({"epoch": 1, "epochs": 1, "eval_epoch": 1, "status": "ok", "fid": score, "best": score})


def measure(sampler: str, seed: int, folder: Path) -> Rate:
    manifest = make_manifest(Options("vae", trials=TRIALS, sampler=sampler, seed=seed, epochs=1), ["benchmark"])
    clock = Clock()
    nothing: Any = (None, None)  # neither data nor a evaluator
    began = time.monotonic()
    run_tuner.run(
        folder, manifest, search_space(manifest), nothing, Share(1, 0, SLOTS), None, Console(file=clock), empty
    )
    assert len(clock.ends) == TRIALS
    warm, end, rest = clock.ends[WARM - 1], clock.ends[-1], TRIALS - WARM
    return Rate(
        TRIALS / (end.wall_s - began), rest / (end.wall_s - warm.wall_s), 1000 * (end.cpu_s - warm.cpu_s) / rest
    )


def main() -> int:
    import ray.cloudpickle

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
    table, slowest = [], float("inf")
    for sampler in ("random", "tpe"):
        rates = []
        for seed in range(RUNS):
            own_ray = ray_session.connect(None, {"num_cpus": SLOTS})
            with tempfile.TemporaryDirectory() as folder, ray_session.ray_environment(), own_ray:
                rates.append(measure(sampler, seed, Path(folder)))
        overall, steady, driver_ms = (statistics.median(column) for column in zip(*rates, strict=True))
        slowest = min(slowest, overall)
        each = ", ".join(f"{rate.overall:.1f}" for rate in rates)
        table.append([sampler, f"{overall:.1f}", f"{steady:.1f}", f"{driver_ms:.0f}", each])
    keep("empty_trials", f"{TRIALS} empty trials, {SLOTS} slots", COLUMNS, table, __doc__ or "")
    return int(slowest < MUST)


if __name__ == "__main__":
    raise SystemExit(main())

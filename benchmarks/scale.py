"""How many trials one driver feeds: zero-work trials on twenty simulated nodes, and what they cost the driver.

The nodes are Ray's own simulation (`ray.cluster_utils`): twenty raylets on this machine, a core declared on each, so
one trial at a time on each. The driver, TPE and the study (in the journal that clusters use) are the real ones. The
first trial of each worker waits until all workers are there, and reports one row; the 200 trials after that count. A
row is as wide as a GAN's. "Evaluated" rows carry a score, which goes to the study. Cost is the driver's own processor
time, of all its threads. "Quiet" is what it uses while all workers hold a trial and none reports. Rows a second are by
the clock, with nodes, workers and driver on the few cores of this machine: cost says what the driver could do.

Trials at once: the N whose reports take 0.7 of a core of the driver, quiet included. A row costs more where more trials
are open, since Tune waits on all of them: cost(N) is the line through the two sweeps that differ in nothing else.
"""

import math
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import ray
import ray.cloudpickle
from empty_trials import Clock, End, now
from lib.results_table import keep
from ray.cluster_utils import Cluster
from rich.console import Console

from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.search.study_storage import open_study, primary_values
from gensweep.sweep.run_sweep import search_space
from gensweep.tune import ray_session, run_tuner
from gensweep.tune.resources import Share
from gensweep.units import format_duration

NODES, TRIALS, ROWS, WIDTH = 20, 200, 20, 30
FEW = 5  # trials at once in the sweep that shows what the others cost
QUIET_S, LOAD = 45.0, 0.7
EVERY_S = (1, 5, 30, 300)  # between two reports of a trial
COLUMNS = ["rows a trial", "evaluated", "at once", "nodes", "trials", "rows", "rows/s"]
COLUMNS += ["driver CPU, s", "ms a row", "ms a trial"]
STORE = 80 << 20  # bytes of each node's object store: nearly the least that Ray takes


class Lines(Clock):
    """Notes the lines between the trials' ends as well."""

    def __init__(self) -> None:
        super().__init__()
        self.between: list[End] = []

    def write(self, text: str) -> int:
        if text.startswith("  "):
            self.between.append(now())
        return super().write(text)


class Kind(NamedTuple):
    """What the trials of a sweep do."""

    rows: int
    each: bool = False  # whether each row is an evaluated one, or the last only
    at_once: int = NODES
    quiet_s: float = 0.0  # before the last row


class Cost(NamedTuple):
    """A sweep from its first trial's end to its last one's."""

    kind: Kind
    nodes: int  # on which trials ran
    trials: int
    rows: int
    wall_s: float
    cpu_s: float  # of the driver
    quiet: float  # of a core, while nobody reports

    def line(self) -> list[str]:
        told = "each" if self.kind.each else "the last"
        counts = [str(self.kind.rows), told, str(self.kind.at_once), str(self.nodes), str(self.trials), str(self.rows)]
        per_row, per_trial = self.row_ms, 1000 * self.cpu_s / self.trials
        return [*counts, f"{self.rows / self.wall_s:.0f}", f"{self.cpu_s:.1f}", f"{per_row:.1f}", f"{per_trial:.0f}"]

    @property
    def row_ms(self) -> float:
        return 1000 * self.cpu_s / self.rows


def reporting(config: dict[str, Any], *, data: Kind, evaluator: Any, task: Any) -> None:
    """A trial that only reports."""
    from ray import tune

    node, workers = ray.get_runtime_context().get_node_id(), Path(task.directory, "workers")
    (workers / f"{node}-{os.getpid()}").touch()
    first = config["number"] < data.at_once
    while first and len(list(workers.iterdir())) < data.at_once:
        time.sleep(0.2)
    rows, score = 1 if first else data.rows, config["lr_g"]
    filler = {f"metric_{column}": score / (column + 1) for column in range(WIDTH)}
    time.sleep(data.quiet_s)
    for epoch in range(1, rows + 1):
        judged = data.each or epoch == rows
        told = {"fid": score if judged else float("nan"), "eval_epoch": epoch if judged else 0}
        tune.report({**filler, **told, "epoch": epoch, "epochs": rows, "status": "ok", "best": score, "host": node})


def measure(kind: Kind, trials: int) -> Cost:
    manifest = make_manifest(
        Options("gan", trials=trials, epochs=ROWS, scheduler="none", storage="journal"), ["benchmark"]
    )
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name), Lines()
        (folder / "workers").mkdir()
        parts: Any = (kind, None)
        share = Share(1, 0, kind.at_once)
        run_tuner.run(
            folder, manifest, search_space(manifest), parts, share, None, Console(file=clock, width=200), reporting
        )
        nodes = {file.name.partition("-")[0] for file in (folder / "workers").iterdir()}
        with open_study(folder, manifest, {}) as study:
            told = sum(map(len, primary_values(study, "fid").values()))
    later = trials - kind.at_once
    assert len(clock.ends) == trials, f"{len(clock.ends)} of {trials} trials ended"
    assert told == kind.at_once + later * (kind.rows if kind.each else 1)
    began, end = clock.ends[0], clock.ends[-1]
    still = [mark for mark in clock.between if 0.5 < began.wall_s - mark.wall_s < kind.quiet_s - 2]
    quiet = (still[-1].cpu_s - still[0].cpu_s) / (still[-1].wall_s - still[0].wall_s) if len(still) > 1 else 0.0
    rows = kind.at_once - 1 + later * kind.rows
    print(f"{kind}: {rows} rows, {end.cpu_s - began.cpu_s:.2f} s of driver CPU, quiet {quiet:.3f}", flush=True)
    return Cost(kind, len(nodes), trials - 1, rows, end.wall_s - began.wall_s, end.cpu_s - began.cpu_s, quiet)


def main() -> int:
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
    with ray_session.ray_environment(), tempfile.TemporaryDirectory() as sessions:
        os.environ["RAY_TMPDIR"] = sessions  # Ray keeps the newest cluster's address there, for whoever says `auto`
        os.environ.update(RAY_worker_register_timeout_seconds="600")  # twenty workers at once start on few cores
        began = time.monotonic()
        simulated = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        try:
            for _ in range(NODES):
                simulated.add_node(num_cpus=1, object_store_memory=STORE, wait=False)
            simulated.wait_for_nodes(300)
            print(f"{NODES} nodes are up after {format_duration(time.monotonic() - began)}", flush=True)
            with ray_session.connect(simulated.address, {}):
                one, last, each, few = [
                    measure(kind, kind.at_once + TRIALS)
                    for kind in (Kind(1), Kind(ROWS), Kind(ROWS, each=True), Kind(ROWS, each=True, at_once=FEW))
                ]
                quiet = measure(Kind(1, quiet_s=QUIET_S), NODES).quiet
        finally:
            simulated.shutdown()  # type: ignore[no-untyped-call]
    slope_ms = max(0.0, (each.row_ms - few.row_ms) / (each.kind.at_once - FEW))
    title = f"{TRIALS} zero-work trials on {NODES} simulated nodes"
    keep("scale", title, COLUMNS, [cost.line() for cost in (one, last, each, few)], notes(last, each, slope_ms, quiet))
    return 0


def fed(cost: Cost, slope_ms: float, quiet: float, every_s: float) -> int:
    """The trials at once whose reports take LOAD of the driver: N * cost(N) / every_s + quiet = LOAD."""
    base, free = cost.row_ms - slope_ms * cost.kind.at_once, 1000 * every_s * (LOAD - quiet)
    if not slope_ms:
        return int(free / base)
    return int((math.sqrt(base**2 + 4 * slope_ms * free) - base) / (2 * slope_ms))


def notes(last: Cost, each: Cost, slope_ms: float, quiet: float) -> str:
    lines = [
        f"Quiet: {quiet:.3f} of a core. Each further trial at once makes a row {1000 * slope_ms:.0f} us dearer.",
        "",
        f"| a trial reports every | trials at once, 1 row in {ROWS} evaluated | trials at once, each row evaluated |",
        "|---|---|---|",
        *(
            f"| {format_duration(every)} | {fed(last, slope_ms, quiet, every):,} "
            f"| {fed(each, slope_ms, quiet, every):,} |"
            for every in EVERY_S
        ),
    ]
    return "\n".join([*lines, "", __doc__ or ""])


if __name__ == "__main__":
    raise SystemExit(main())

"""Launch a prepared sweep: connect to Ray, check the disk and the resources, run the trials.

A sweep always continues in the same way: a fresh Tuner over the same Optuna study and the same trial directories. So
the first launch and every later launch run the same lines.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from analysis.read.manifest import SweepManifest
from gensweep.config import objectives
from gensweep.config.options import LaunchOptions, Options
from gensweep.storage import lock
from gensweep.sweep import disk_estimate
from gensweep.sweep.evaluation import evaluator_of
from gensweep.sweep.run_sweep import make_directory, search_space, write_manifest
from gensweep.tune import ray_session
from gensweep.tune.resources import Node, Share, emulates_bf16, share

if TYPE_CHECKING:
    from gensweep.tune.run_tuner import LaunchResult
    from trainables.data import Dataset
    from trainables.metrics import Evaluator

Say = Callable[[str], None]


def launch_sweep(
    directory: Path,
    manifest: SweepManifest,
    data: "Dataset",
    options: Options,
    console: Console,
    ray_init: Mapping[str, object],
) -> "LaunchResult":
    """Run the sweep until its trials have ended, its time budget is spent, or Ctrl-C.

    Of the options, only those of a launch are used; the rest is in the manifest.
    """
    from gensweep.tune import run_tuner  # before the evaluator's thread starts: it imports some of the same modules

    began, launch = time.monotonic(), LaunchOptions.from_options(options)
    say: Say = partial(console.print, soft_wrap=True, highlight=False, markup=False)
    manifest = launch.override(manifest)
    with ray_session.ray_environment(), ThreadPoolExecutor(1) as pool:
        if (directory / "sweep.json").exists():
            finished = run_tuner.finished_result(directory, manifest)
            if finished is not None:
                return finished
        evaluator = pool.submit(evaluator_of, manifest, data, say)  # while Ray starts
        with ray_session.connect(launch.address, ray_init) as nodes:
            resources = share(launch, nodes)
            manifest = manifest._replace(**resources._asdict())
            _check_machine(directory, manifest, data, resources, nodes, say)
            manifest = manifest._replace(stamp=evaluator.result().stamp)
            return _run(directory, manifest, (data, evaluator.result()), launch, resources, began, console)


def _check_machine(
    directory: Path, manifest: SweepManifest, data: "Dataset", resources: Share, nodes: list[Node], say: Say
) -> None:
    """Print how the machine is used; raise UserError if the disk is too small."""
    disk_estimate.check_disk_space(directory, manifest, search_space(manifest), data, resources.concurrent)
    say(resources.line(nodes))
    for note in data.notes:
        say(note)
    precision = manifest.space.get("precision")
    if not resources.gpus_per_trial and precision and "bf16" in precision.ends() and emulates_bf16():
        say("bf16 is emulated on this CPU: expect it to be slower than --precision fp32")
    for line in objectives.describe_goal(manifest.goal):
        say(line)


def _run(
    directory: Path,
    manifest: SweepManifest,
    parts: tuple["Dataset", "Evaluator"],
    launch: LaunchOptions,
    resources: Share,
    began: float,
    console: Console,
) -> "LaunchResult":
    """Write the manifest unless it exists, and run Tune under the lock of the sweep."""
    from gensweep.tune import run_tuner
    from trainables.data import limited

    data, evaluator = parts
    say: Say = partial(console.print, soft_wrap=True, highlight=False, markup=False)
    make_directory(directory, manifest)
    with lock.driver_lock(directory, say):
        manifest = launch.override(write_manifest(directory, manifest))
        end = None if launch.time_budget_s is None else began + launch.time_budget_s
        limited_parts = (limited(data, manifest.train_images), evaluator)
        return run_tuner.run(directory, manifest, search_space(manifest), limited_parts, resources, end, console)

"""One launch of Ray Tune over the study of a sweep, and how it ends."""

import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ray import tune
from ray.exceptions import RayError
from ray.tune import TuneError
from rich.console import Console

from analysis.read import optuna_study
from analysis.read.manifest import SweepManifest
from gensweep.config.options import first_line
from gensweep.search import optuna_internals
from gensweep.search.study_storage import open_study, primary_values
from gensweep.storage import lock, workdir
from gensweep.tune import ray_internals, ray_session, ray_watchdog
from gensweep.tune.checkpoint_cleanup import CheckpointLimit
from gensweep.tune.node_blocklist import NodeBlocklist
from gensweep.tune.not_pickled import NotPickled
from gensweep.tune.progress import SweepProgress
from gensweep.tune.progress_callback import ProgressCallback
from gensweep.tune.resources import Share
from gensweep.tune.run_trial import task_of, train
from gensweep.tune.schedulers import SweepScheduler, early_stopping
from gensweep.tune.searcher import Outcome, StudySearcher
from gensweep.tune.timeout import timed_out
from gensweep.units import format_duration
from trainables import filestore

if TYPE_CHECKING:
    from search_spaces import Space
    from trainables.data import Dataset
    from trainables.metrics import Evaluator


POLL_S = 0.5  # how often the driver looks whether it was asked to stop


class LaunchResult(NamedTuple):
    """How a launch ended: `cause` is done, budget, interrupted, stopped, cancelled, disk (it is full) or open (Ray gave
    up on some)."""

    cause: str
    trials: int  # that have ended, over all launches
    failed: int
    lines: list[str]  # what a person wants to know of it
    won: bool  # whether any trial may win: one that has a score and keeps every constraint


class StopControl:
    """Why a launch is to end: `cause`, empty while it is to go on."""

    def __init__(self) -> None:
        self.cause = ""

    def stop_with_cause(self, cause: str) -> None:
        """Stop all trials for this cause, unless they are stopped already."""
        self.cause = self.cause or cause

    @contextmanager
    def on_interrupt(self) -> Generator[None]:
        """Stop all trials on the first Ctrl-C; a second one raises KeyboardInterrupt."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def interrupt(_signal: int, _frame: Any) -> None:
            if ray_watchdog.death_notice():
                raise KeyboardInterrupt
            self.cause = "interrupted"
            signal.signal(signal.SIGINT, before)

        signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


class Stopper(NotPickled, tune.Stopper):
    """Stop all running trials at once, which stay RUNNING in the study and can be resumed; or, on `gensweep stop`, let
    them finish and start no new ones (`close`). `no_nodes_left` says whether every node is blocked."""

    def __init__(
        self,
        control: StopControl,
        directory: Path,
        end: float | None,
        close: Callable[[], None],
        no_nodes_left: Callable[[], bool],
    ) -> None:
        self._control, self._directory, self._end = control, directory, end
        self._close, self._no_nodes_left = close, no_nodes_left
        self._polled = 0.0

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        now, control = time.monotonic(), self._control
        if self._end is not None and now > self._end:
            control.stop_with_cause("budget")
        if not control.cause and now - self._polled > POLL_S:
            self._polled = now
            self._handle_request(lock.pending_request(self._directory))
            if self._no_nodes_left():
                control.stop_with_cause("open")
        return bool(control.cause) and control.cause != "stopped"

    def _handle_request(self, request: str) -> None:
        if request == "stop":
            self._control.stop_with_cause("stopped")
            self._close()
        elif request == "cancel":
            self._control.stop_with_cause("cancelled")


def _trial_folder(trial: Any) -> str:
    arm = trial.config.get("arm")  # of a study, which trains the arms side by side
    return f"{trial.config['number']:04d}" if arm is None else f"{arm}-{trial.config['number']:04d}"


def run(
    directory: Path,
    manifest: SweepManifest,
    space: "Space",
    parts: tuple["Dataset", "Evaluator"],
    share: Share,
    end: float | None,
    console: Console,
    function: Callable[..., None] = train,
) -> LaunchResult:
    """Run the trials that are left; `end` is when the time budget is spent, on the monotonic clock. `function` takes a
    configuration with its number and, by name, data, evaluator and task."""
    from search_spaces.override import default
    from trainables.data.mapped_files import without_pixels

    began, control = time.monotonic(), StopControl()
    with open_study(directory.resolve(), manifest, default(space)[1]) as study:
        trials = study.get_trials(deepcopy=False)
        progress = SweepProgress(manifest, trials, share.concurrent)
        view = ProgressCallback(progress, console)
        goal = manifest.goal
        limit = CheckpointLimit(directory, manifest.keep_checkpoints, goal, trials)
        is_timed_out = partial(timed_out, directory.resolve())

        def end_trial(outcome: Outcome) -> None:
            view.finished(outcome)
            limit.end(outcome)

        searcher = StudySearcher(
            study, space.space, goal, manifest.trials, end_trial, is_timed_out, control.stop_with_cause
        )
        if searcher.left:
            nodes = NodeBlocklist(partial(console.print, soft_wrap=True, highlight=False, markup=False), is_timed_out)
            stopping = early_stopping(manifest, primary_values(study, goal.primary.metric))
            scheduler = SweepScheduler(stopping, searcher.note_error_text, nodes)
            stopper = Stopper(control, directory, end, searcher.close, nodes.no_nodes_left)
            task = task_of(manifest, directory)
            data = without_pixels(parts[0]) if ray_session.is_one_machine() else parts[0]
            shared = tune.with_parameters(function, data=data, evaluator=parts[1], task=task)  # once to each node
            built = build_tuner(
                directory.resolve() / "ray", shared, manifest.max_failures, share, (searcher, scheduler, view, stopper)
            )
            with control.on_interrupt(), view:
                fit_tuner(built, console)
    cause = control.cause if progress.ended < progress.total else "done"
    return _launch_result(cause or "open", progress, time.monotonic() - began, limit.line())


def finished_result(directory: Path, manifest: SweepManifest) -> LaunchResult | None:
    """Return how the sweep ended, or None if trials are left. Needs no Ray, and writes nothing."""
    progress = SweepProgress(
        manifest, optuna_study.read_trials(filestore.open_directory(workdir.trials_uri(directory)), manifest)
    )
    return None if progress.ended < progress.total else _launch_result("done", progress, None)


def fit_tuner(tuner: tune.Tuner, console: Console) -> None:
    """Run the Tuner; if Ray gives up, report it in one line: the study knows which trials are left."""
    say = partial(console.print, soft_wrap=True, highlight=False, markup=False)
    for note in filter(None, (ray_internals.version_note(), optuna_internals.version_note())):
        say(note)
    try:
        tuner.fit()
    except (RayError, TuneError, KeyboardInterrupt) as error:  # a lost node, a full disk
        fault = ray_watchdog.death_notice()
        if fault is None and isinstance(error, KeyboardInterrupt):
            raise
        say(f"Ray gave up: {fault or first_line(error)}")


def build_tuner(
    storage: Path,
    function: Callable[..., Any],
    max_failures: int,
    share: Share,
    wiring: tuple[Any, Any, Any, Stopper],
) -> tune.Tuner:
    """Return a fresh Tuner, whose own files are disposable."""
    searcher, scheduler, view, stopper = wiring
    return tune.Tuner(
        tune.with_resources(function, {"cpu": share.cpus_per_trial, "gpu": share.gpus_per_trial}),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=scheduler,
            num_samples=searcher.left,
            max_concurrent_trials=share.concurrent,
            reuse_actors=True,
            trial_dirname_creator=_trial_folder,
            trial_name_creator=_trial_folder,
        ),
        run_config=tune.RunConfig(
            name=time.strftime("%Y%m%d-%H%M%S") + f"-{os.getpid()}",
            storage_path=str(storage),
            verbose=0,
            callbacks=[] if view is None else [view],
            failure_config=tune.FailureConfig(max_failures=max_failures),
            stop=stopper,
        ),
    )


def _launch_result(
    cause: str, progress: SweepProgress, wall_s: float | None, notes: Sequence[str] = ()
) -> LaunchResult:
    lines = [*_summary_lines(progress, wall_s), *notes]
    return LaunchResult(cause, progress.ended, progress.counts["failed"], lines, progress.best is not None)


def _summary_lines(progress: SweepProgress, wall_s: float | None) -> list[str]:
    counts = ", ".join(
        f"{progress.counts[word]} {word}" for word in ("done", "stopped", "failed") if progress.counts[word]
    )
    reasons = f" ({progress.failures()})" if progress.reasons else ""
    took = "" if wall_s is None else f"; {format_duration(wall_s)}, workers busy {progress.utilisation():.0%} of it"
    lines = [f"{progress.ended} of {progress.total} trials ended: {counts or 'none'}{reasons}{took}"]
    if progress.best is not None:
        lines.append(f"best: {progress.best_line()}")
    return lines

"""Run several sweeps in one run of Ray Tune.

The arms of a study share their workers, so that each worker starts once and no core waits for the last trial of an arm.
Each sweep keeps its own directory, Optuna study and searcher; they share only the order of their trials.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from optuna.trial import TrialState
from ray import tune
from ray.tune.search import Searcher
from rich.console import Console

from analysis.read.manifest import SweepManifest
from gensweep.search.study_storage import open_study
from gensweep.storage import lock
from gensweep.sweep.run_sweep import search_space
from gensweep.tune import ray_session
from gensweep.tune.node_blocklist import NodeBlocklist
from gensweep.tune.not_pickled import NotPickled
from gensweep.tune.progress import SweepProgress, format_scores
from gensweep.tune.resources import Share
from gensweep.tune.run_trial import Task, task_of, train
from gensweep.tune.run_tuner import StopControl, Stopper, build_tuner, fit_tuner
from gensweep.tune.schedulers import SweepScheduler
from gensweep.tune.searcher import Row, StudySearcher

if TYPE_CHECKING:
    from trainables.data import Dataset
    from trainables.metrics import Evaluator


class SweepJob(NamedTuple):
    """A sweep whose directory exists, with its manifest and what its trials need."""

    directory: Path
    manifest: SweepManifest
    data: "Dataset"
    evaluator: "Evaluator"


class MultiSearcher(NotPickled, Searcher):
    """Hand out the trials of several searchers, one searcher after the other, and pass each result to its searcher."""

    def __init__(self, searchers: dict[str, StudySearcher]) -> None:
        super().__init__("epoch", "max")
        self._searchers = searchers
        self._owner: dict[str, StudySearcher] = {}

    @property
    def left(self) -> int:
        return sum(searcher.left for searcher in self._searchers.values())

    def suggest(self, trial_id: str) -> Any:  # dict | "FINISHED"
        for arm, searcher in self._searchers.items():
            config = searcher.suggest(trial_id)
            if config != Searcher.FINISHED:
                self._owner[trial_id] = searcher
                return {**config, "arm": arm}
        return Searcher.FINISHED

    def on_trial_result(self, trial_id: str, result: Row) -> None:
        self._owner[trial_id].on_trial_result(trial_id, result)

    def on_trial_complete(self, trial_id: str, result: Row | None = None, error: bool = False) -> None:
        self._owner[trial_id].on_trial_complete(trial_id, result, error)

    def note_error_text(self, trial_id: str, text: str) -> None:
        self._owner[trial_id].note_error_text(trial_id, text)

    def close(self) -> None:
        """Stop handing out trials."""
        for searcher in self._searchers.values():
            searcher.close()

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: every study is on disk after every call."""

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing: fresh searchers read the studies."""


def train_arm_trial(config: dict[str, Any], *, parts: dict[str, tuple[Any, Any, Task]]) -> None:
    """Train a trial of the sweep that its configuration names."""
    data, evaluator, task = parts[config["arm"]]
    train({key: value for key, value in config.items() if key != "arm"}, data=data, evaluator=evaluator, task=task)


def run(
    home: Path, jobs: Sequence[SweepJob], resources: Share, console: Console, after_trial: Callable[[], None]
) -> str:
    """Run what is left of the sweeps in this order. Their directories exist; Tune writes its files to `home`/ray.

    `after_trial` is called when the study of a sweep has a trial's end.
    Return how it ended: done, interrupted, disk if the disk is full, or open if Ray gave up.
    """
    from search_spaces.override import default
    from trainables.data.mapped_files import without_pixels

    say: Callable[[str], None] = partial(console.print, soft_wrap=True, highlight=False, markup=False)
    control, searchers, boards = StopControl(), {}, {}
    with ExitStack() as stack:
        parts = {}
        for job in jobs:
            name, manifest, space = job.directory.name, job.manifest, search_space(job.manifest)
            stack.enter_context(lock.driver_lock(job.directory, say))
            study = stack.enter_context(open_study(job.directory.resolve(), manifest, default(space)[1]))
            goal = manifest.goal
            boards[name] = SweepProgress(manifest, study.get_trials(deepcopy=False))
            report = partial(_report_outcome, say, name, boards, after_trial)
            searchers[name] = StudySearcher(
                study, space.space, goal, manifest.trials, report, stop=control.stop_with_cause
            )
            parts[name] = (
                without_pixels(job.data) if ray_session.is_one_machine() else job.data,
                job.evaluator,
                task_of(manifest, job.directory),
            )
        relay = MultiSearcher(searchers)
        if relay.left:
            function = tune.with_parameters(train_arm_trial, parts=parts)
            failures = max(job.manifest.max_failures for job in jobs)
            nodes = NodeBlocklist(say)
            scheduler = SweepScheduler(None, relay.note_error_text, nodes)
            stopper = Stopper(control, home, None, relay.close, nodes.no_nodes_left)
            built = build_tuner(
                home.resolve() / "ray", function, failures, resources, (relay, scheduler, None, stopper)
            )
            with control.on_interrupt():
                fit_tuner(built, console)
    ended = all(board.ended >= board.total for board in boards.values())
    return "done" if ended else control.cause or "open"


def _report_outcome(
    say: Callable[[str], None],
    name: str,
    boards: dict[str, SweepProgress],
    after_trial: Callable[[], None],
    outcome: Any,
) -> None:
    """Count an ended trial and print one line about it."""
    boards[name].finish(outcome)
    done, total = (sum(getattr(board, what) for board in boards.values()) for what in ("ended", "total"))
    score = "" if outcome.best is None else f" {format_scores(boards[name].goal, outcome.best)}"
    failed = f" failed ({outcome.reason})" if outcome.state == TrialState.FAIL else ""
    say(f"{done:4d}/{total} {name} seed {outcome.number}{score}{failed}")
    after_trial()

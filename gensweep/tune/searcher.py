"""Ray Tune's searcher over an Optuna study, by Optuna's ask and tell.

The study is the only record: a trial is known by its Optuna number. After a driver ended, the trials that are still
RUNNING in the study are handed out first, under their own numbers. A trial ends in one of three ways. It ran all its
epochs: COMPLETE, with the best value it reached. The scheduler stopped it: PRUNED, with the last value it reported. It
failed: FAIL, with a class and one line as user attributes. (Tune's own OptunaSearch reports a stopped trial as
complete, leaves a NaN running for ever, and cannot be resumed.) If the disk is full, under a trial or under the study,
no trial has failed: the sweep stops, and its trials stay open.

With several objectives, the study gets the values of one epoch, the best by the primary objective, and the excess of
each constraint there. Optuna takes no intermediate values of several objectives or of constraints, so the values by
epoch are then a user attribute.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from optuna.exceptions import StorageInternalError
from optuna.study import Study
from optuna.trial import Trial, TrialState
from ray.tune.search import Searcher

from gensweep.search.optuna_internals import reopened
from gensweep.search.write_through import flush
from gensweep.storage.atomic import is_disk_full
from gensweep.tune import ray_internals
from gensweep.tune.not_pickled import NotPickled
from trainables.objective import VALUES_ATTR, Goal, Values, finite, is_valid_evaluation, values_by_epoch

Row = dict[str, Any]
WORKER_LOST = ("lost", "its worker died or never started")
NODE_LOW_ON_MEMORY = (
    "oom",
    "the node ran low on memory, and Ray ended the worker: give it fewer --concurrent trials",
)
TIMED_OUT = ("timeout", "it took longer than --trial-timeout")


class Outcome(NamedTuple):
    """How a trial ended."""

    number: int
    state: TrialState
    params: dict[str, Any]
    by_epoch: dict[int, Values]  # the values of the goal, by evaluated epoch
    epoch: int  # the last one
    best: Values | None = None  # of a complete trial: at its best epoch
    reason: str | None = None
    error: str | None = None


class OpenTrial(NamedTuple):
    """A trial that has been handed out: its handle, the values that the study has, and the faults it has reported."""

    trial: Trial
    by_epoch: dict[int, Values]
    faults: list[tuple[str, str]]  # class, line


def outcome(open_trial: OpenTrial, goal: Goal, row: Row, error: bool, timed_out: bool) -> Outcome:
    """Return how a trial ended: by its last row, `{}` if there is none; `error` if Tune gave up on it."""
    trial, by_epoch, faults = open_trial
    epoch = max([*by_epoch, row.get("epoch", 0)])
    ended = Outcome(trial.number, TrialState.COMPLETE, trial.params, by_epoch, epoch)

    def failed(reason: str, line: str) -> Outcome:
        return ended._replace(state=TrialState.FAIL, reason=reason, error=line)

    if error or row.get("status") != "ok":
        return failed(*(faults[-1] if faults else TIMED_OUT if timed_out else WORKER_LOST))
    if row["epoch"] < row["epochs"]:
        return ended._replace(state=TrialState.PRUNED)
    best = goal.marked(row)
    if best is not None:
        return ended._replace(best=best)
    lacking = [key for key in goal.keys if not finite(row.get(key))] or goal.keys
    line = f"no evaluation in {epoch} epochs gave a {' and a '.join(lacking)} that counts"
    return failed("collapsed" if row.get("narrow") else "nan", line)


class StudySearcher(NotPickled, Searcher):
    """Hand out the open trials of a study, then new ones, until the study holds `total`."""

    def __init__(
        self,
        study: Study,
        space: Callable[[Trial], dict[str, Any]],
        goal: Goal,
        total: int,
        announce: Callable[[Outcome], None] = lambda outcome: None,
        timed_out: Callable[[int], bool] = lambda number: False,
        stop: Callable[[str], None] = lambda cause: None,
    ) -> None:
        super().__init__(*goal.primary)
        self._goal = goal
        self._study, self._space, self._total = study, space, total
        self._announce, self._timed_out, self._stop = announce, timed_out, stop
        trials = study.get_trials(deepcopy=False)
        self._orphans = [trial for trial in trials if trial.state == TrialState.RUNNING]
        self._n_begun = sum(trial.state != TrialState.WAITING for trial in trials)
        self._open: dict[str, OpenTrial] = {}

    @property
    def left(self) -> int:
        """The number of trials that are still to be handed out."""
        return len(self._orphans) + max(0, self._total - self._n_begun)

    def close(self) -> None:
        """Hand out no more trials; those that run go on to their end."""
        self._orphans, self._total = [], 0

    def suggest(self, trial_id: str) -> Any:  # dict | "FINISHED"
        config: Any = Searcher.FINISHED
        with self._stop_if_disk_full():
            if self.left:
                config = self._begin(trial_id)
        return config

    def _begin(self, trial_id: str) -> dict[str, Any]:
        if self._orphans:
            frozen = self._orphans.pop(0)
            trial, by_epoch = reopened(self._study, frozen), values_by_epoch(frozen, self._goal.primary.metric)
        else:
            trial, by_epoch = self._study.ask(), {}
            self._n_begun += 1
        config = self._space(trial)
        flush(self._study)  # before a worker can begin it
        self._open[trial_id] = OpenTrial(trial, by_epoch, [])
        return {**config, "number": trial.number}

    @contextmanager
    def _stop_if_disk_full(self) -> Iterator[None]:
        """Stop the sweep if the study's disk is full, and let go of all trials, so that they stay open."""
        try:
            yield
        except (StorageInternalError, OSError) as error:
            if not is_disk_full(error):
                raise
            self.close()
            self._open = {}
            self._stop("disk")

    def on_trial_result(self, trial_id: str, result: Row) -> None:
        open_trial = self._open.get(trial_id)
        if open_trial is None:
            return
        if result["status"] == "disk":
            del self._open[trial_id]
            self._stop("disk")
        elif result["status"] != "ok":
            line = result.get("error") or f"the trial says so at epoch {result['epoch']} of {result['epochs']}"
            open_trial.faults.append((result["status"], line))
        elif is_valid_evaluation(result, self._goal.primary.metric) and result["epoch"] not in open_trial.by_epoch:
            open_trial.by_epoch[result["epoch"]] = self._goal.values(result)
            with self._stop_if_disk_full():
                self._record(open_trial, result["epoch"])

    def _record(self, open_trial: OpenTrial, epoch: int) -> None:
        trial, by_epoch, _ = open_trial
        if len(self._goal.keys) > 1:
            trial.set_user_attr(VALUES_ATTR, {str(at_epoch): values for at_epoch, values in by_epoch.items()})
        if len(self._goal.objectives) == 1:
            trial.report(by_epoch[epoch][self._goal.primary.metric], epoch)
        flush(self._study)  # before the trial goes on

    def note_error_text(self, trial_id: str, text: str) -> None:
        """Note what Tune has written down about the last error of a trial."""
        if trial_id in self._open and ray_internals.LOW_ON_MEMORY in text:
            self._open[trial_id].faults.append(NODE_LOW_ON_MEMORY)

    def on_trial_complete(self, trial_id: str, result: Row | None = None, error: bool = False) -> None:
        if result is None and not error:
            return  # withdrawn before it ran: it stays open in the study
        if result:
            self.on_trial_result(trial_id, result)  # Tune withholds the row after which the scheduler stops a trial
        open_trial = self._open.pop(trial_id, None)
        if open_trial is None:
            return  # reported before, or the disk is full
        timed_out = self._timed_out(open_trial.trial.number)
        ended = outcome(open_trial, self._goal, result or {}, error, timed_out)
        recorded = False
        with self._stop_if_disk_full():
            self._tell(open_trial.trial, ended)
            recorded = True
        if recorded:
            self._announce(ended)

    def _tell(self, trial: Trial, ended: Outcome) -> None:
        values = None  # of a stopped trial: Optuna then takes the last one reported, if there is one
        if ended.state == TrialState.FAIL:
            trial.set_user_attr("reason", ended.reason)
            trial.set_user_attr("error", ended.error)
        best_epoch = self._goal.best(ended.by_epoch)
        if ended.state == TrialState.PRUNED and best_epoch is not None:
            self._set_constraints(trial, ended.by_epoch[best_epoch])
        if ended.best is not None:
            values = [ended.best[objective.metric] for objective in self._goal.objectives]
            self._set_constraints(trial, ended.best)
        self._study.tell(trial, values, ended.state, skip_if_finished=True)
        flush(self._study)

    def _set_constraints(self, trial: Trial, values: Values) -> None:
        """Set by how much each constraint is violated, unless an earlier driver has set it."""
        for constraint in self._goal.constraints:
            if str(constraint) not in trial.constraints:
                trial.set_constraint(str(constraint), constraint.excess(values))

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: the study is on disk after every call."""

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing: a fresh searcher reads the study."""

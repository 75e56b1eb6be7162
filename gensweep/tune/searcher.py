"""Ray Tune's searcher over an Optuna study, by Optuna's public ask and tell.

The study is the only truth: a trial's identity is its Optuna number, and after any end of the driver the trials that
the study still calls RUNNING are handed out first, under their own numbers. A trial ends in one of three ways: it ran
its epochs (COMPLETE, with the best value it reached), the scheduler stopped it (PRUNED, with the last value it
reported), or it failed (FAIL, with a class and one line as user attributes). Tune's own OptunaSearch tells a stopped
trial as complete, leaves a NaN running for ever, and cannot be resumed. Where the disk is full, under a trial or under
the study, nobody has failed: the sweep halts, and what is out stays open.

Of several objectives a trial is told those of one epoch, its best by the primary one, and the excess of each
constraint there. Optuna takes no intermediate values of several objectives, and none of constraints: what was seen by
epoch is then a user attribute.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from optuna.exceptions import StorageInternalError
from optuna.study import Study
from optuna.trial import Trial, TrialState
from ray.tune.search import Searcher

from gensweep.search.write_through import flush
from gensweep.storage.atomic import is_full
from trainables.objective import VALUES_ATTR, Goal, Values, finite, is_valid_evaluation, values_by_epoch

Row = dict[str, Any]
LOW_ON_MEMORY = "low on memory"  # what Ray's memory monitor says of a worker that it ended
WORKER_LOST = ("lost", "its worker died or never started")
NODE_LOW_ON_MEMORY = ("oom", "the node ran low on memory, and Ray ended the worker: give it fewer --concurrent trials")
TIMED_OUT = ("timeout", "it took longer than --trial-timeout")


class Outcome(NamedTuple):
    """How a trial ended."""

    number: int
    state: TrialState
    params: dict[str, Any]
    seen: dict[int, Values]  # what the goal is about, by evaluated epoch
    epoch: int  # the last one
    best: Values | None = None  # of a complete trial: at its best epoch, what the study is told
    reason: str | None = None
    error: str | None = None


class OpenTrial(NamedTuple):
    """A trial that is out: its handle, what the study has seen of it, and what it last said was wrong."""

    trial: Trial
    seen: dict[int, Values]
    wrong: list[tuple[str, str]]


class StudySearcher(Searcher):
    """Hands out the open trials of a study, then new ones, until the study holds `total`."""

    def __init__(
        self,
        study: Study,
        space: Callable[[Trial], dict[str, Any]],
        goal: Goal,
        total: int,
        announce: Callable[[Outcome], None] = lambda outcome: None,
        late: Callable[[int], bool] = lambda number: False,
        halt: Callable[[str], None] = lambda cause: None,
    ) -> None:
        super().__init__(*goal.primary)
        self._goal = goal
        self._study, self._space, self._total = study, space, total
        self._announce, self._late, self._halt = announce, late, halt
        trials = study.get_trials(deepcopy=False)
        self._orphans = [trial for trial in trials if trial.state == TrialState.RUNNING]
        self._asked = sum(trial.state != TrialState.WAITING for trial in trials)
        self._held: dict[str, OpenTrial] = {}

    @property
    def left(self) -> int:
        """How many trials this searcher still hands out."""
        return len(self._orphans) + max(0, self._total - self._asked)

    def close(self) -> None:
        """Hand out no more; what is out goes on to its end."""
        self._orphans, self._total = [], 0

    def suggest(self, trial_id: str) -> Any:  # dict | "FINISHED"
        try:
            if self._orphans:
                frozen = self._orphans.pop(0)
                trial, known = Trial(self._study, frozen._trial_id), values_by_epoch(frozen, self._goal.primary.metric)
            elif self._asked < self._total:
                trial, known = self._study.ask(), {}
                self._asked += 1
            else:
                return Searcher.FINISHED
            config = self._space(trial)
            flush(self._study)  # before a worker can begin it
        except (StorageInternalError, OSError) as error:
            self._full(error)
            return Searcher.FINISHED
        self._held[trial_id] = OpenTrial(trial, known, [])
        return {**config, "number": trial.number}

    def _full(self, error: Exception) -> None:
        """Halts on a full disk; lets go of all trials, so that they stay open."""
        if not is_full(error):
            raise error
        self.close()
        self._held = {}
        self._halt("disk")

    def on_trial_result(self, trial_id: str, result: Row) -> None:
        held = self._held.get(trial_id)
        if held is None:
            return
        if result["status"] == "disk":
            del self._held[trial_id]
            self._halt("disk")
        elif result["status"] != "ok":
            line = result.get("error") or f"the trial says so at epoch {result['epoch']} of {result['epochs']}"
            held.wrong.append((result["status"], line))
        elif is_valid_evaluation(result, self._goal.primary.metric) and result["epoch"] not in held.seen:
            held.seen[result["epoch"]] = self._goal.values(result)
            try:
                self._record(held, result["epoch"])
            except (StorageInternalError, OSError) as error:
                self._full(error)

    def _record(self, held: OpenTrial, epoch: int) -> None:
        if len(self._goal.keys) > 1:
            held.trial.set_user_attr(VALUES_ATTR, {str(at): values for at, values in held.seen.items()})
        if len(self._goal.objectives) == 1:
            held.trial.report(held.seen[epoch][self._goal.primary.metric], epoch)
        flush(self._study)  # before the trial goes on

    def note_error_text(self, trial_id: str, text: str) -> None:
        """What Tune has written down about the last error of a trial."""
        held = self._held.get(trial_id)
        if held is not None and LOW_ON_MEMORY in text:
            held.wrong.append(NODE_LOW_ON_MEMORY)

    def on_trial_complete(self, trial_id: str, result: Row | None = None, error: bool = False) -> None:
        held = self._held.get(trial_id)
        if held is None or (result is None and not error):
            return  # told before, or withdrawn before it ran: the study goes on calling it open
        if result:
            self.on_trial_result(trial_id, result)  # Tune keeps the row that made the scheduler stop a trial from it
        if self._held.pop(trial_id, None) is None:
            return  # the disk is full
        outcome = self._outcome(held, result or {}, error)
        try:
            self._tell(held.trial, outcome)
        except (StorageInternalError, OSError) as full:
            self._full(full)
        else:
            self._announce(outcome)

    def _outcome(self, held: OpenTrial, row: Row, error: bool) -> Outcome:
        epoch = max([*held.seen, row.get("epoch", 0)])
        ended = Outcome(held.trial.number, TrialState.COMPLETE, held.trial.params, held.seen, epoch)
        if error or "status" not in row or row["status"] != "ok":
            gone = TIMED_OUT if self._late(held.trial.number) else WORKER_LOST
            reason, line = (held.wrong or [gone])[-1]
            return ended._replace(state=TrialState.FAIL, reason=reason, error=line)
        if row["epoch"] < row["epochs"]:
            return ended._replace(state=TrialState.PRUNED)
        best = self._goal.marked(row)
        if best is None:
            reason = "collapsed" if row.get("narrow") else "nan"
            lacking = [key for key in self._goal.keys if not finite(row.get(key))] or self._goal.keys
            line = f"no evaluation in {epoch} epochs gave a {' and a '.join(lacking)} that counts"
            return ended._replace(state=TrialState.FAIL, reason=reason, error=line)
        return ended._replace(best=best)

    def _tell(self, trial: Trial, outcome: Outcome) -> None:
        values = None  # a stopped trial is told without one: Optuna then takes the last one reported, if there is one
        if outcome.state == TrialState.FAIL:
            trial.set_user_attr("reason", outcome.reason)
            trial.set_user_attr("error", outcome.error)
        at = self._goal.best(outcome.seen)
        if outcome.state == TrialState.PRUNED and at is not None:
            self._constrain(trial, outcome.seen[at])
        if outcome.best is not None:
            values = [outcome.best[one.metric] for one in self._goal.objectives]
            self._constrain(trial, outcome.best)
        self._study.tell(trial, values, outcome.state, skip_if_finished=True)
        flush(self._study)

    def _constrain(self, trial: Trial, values: Values) -> None:
        """Tells by how much each constraint is broken; a driver may have died after it had."""
        for one in self._goal.constraints:
            if str(one) not in trial.constraints:
                trial.set_constraint(str(one), one.excess(values))

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the study is on disk after every call."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: a fresh searcher reads the study."""

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune pickles its whole set-up; nothing ever reads that file

"""Ray Tune's searcher over an Optuna study, by Optuna's public ask and tell.

The study is the only truth: a trial's identity is its Optuna number, and after any end of the driver the trials that
the study still calls RUNNING are handed out first, under their own numbers. A trial ends in one of three ways: it ran
its epochs (COMPLETE, with the best value it reached), the scheduler stopped it (PRUNED, with the last value it
reported), or it failed (FAIL, with a class and one line as user attributes). Tune's own OptunaSearch tells a stopped
trial as complete, leaves a NaN running for ever, and cannot be resumed. Where the disk is full, under a trial or under
the study, nobody has failed: the sweep halts, and what is out stays open.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from optuna.exceptions import StorageInternalError
from optuna.study import Study
from optuna.trial import Trial, TrialState
from ray.tune.search import Searcher

from gensweep.disk import is_full
from gensweep.mirror import settle

Row = dict[str, Any]
LOW = "low on memory"  # what Ray's memory monitor says of a worker that it ended
LOST = ("lost", "its worker died or never started")
SHORT = ("oom", "the node ran low on memory, and Ray ended the worker: give it fewer --concurrent trials")
LATE = ("timeout", "it took longer than --trial-timeout")


class Outcome(NamedTuple):
    """How a trial ended."""

    number: int
    state: TrialState
    params: dict[str, Any]
    values: dict[int, float]  # the objective by evaluated epoch
    epoch: int  # the last one
    best: float | None = None  # of a complete trial: the value that the study is told
    reason: str | None = None
    error: str | None = None


class Held(NamedTuple):
    """A trial that is out: its handle, the values that the study has, and what it last said was wrong."""

    trial: Trial
    values: dict[int, float]
    wrong: list[tuple[str, str]]


def judged(row: Row, metric: str) -> bool:
    """Whether the row carries a value measured at its own epoch on samples that are not collapsed: these count."""
    fresh = row["status"] == "ok" and row["eval_epoch"] == row["epoch"]
    return bool(fresh and not row.get("narrow") and finite(row.get(metric)))


def finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


class StudySearcher(Searcher):
    """Hands out the open trials of a study, then new ones, until the study holds `total`."""

    def __init__(
        self,
        study: Study,
        space: Callable[[Trial], dict[str, Any]],
        objective: tuple[str, str],
        total: int,
        announce: Callable[[Outcome], None] = lambda outcome: None,
        late: Callable[[int], bool] = lambda number: False,
        halt: Callable[[str], None] = lambda cause: None,
    ) -> None:
        super().__init__(*objective)
        self._name = objective[0]
        self._study, self._space, self._total = study, space, total
        self._announce, self._late, self._halt = announce, late, halt
        trials = study.get_trials(deepcopy=False)
        self._orphans = [trial for trial in trials if trial.state == TrialState.RUNNING]
        self._asked = sum(trial.state != TrialState.WAITING for trial in trials)
        self._held: dict[str, Held] = {}

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
                trial, values = Trial(self._study, frozen._trial_id), dict(frozen.intermediate_values)
            elif self._asked < self._total:
                trial, values = self._study.ask(), {}
                self._asked += 1
            else:
                return Searcher.FINISHED
            config = self._space(trial)
            settle(self._study)  # before a worker can begin it
        except (StorageInternalError, OSError) as error:
            self._full(error)
            return Searcher.FINISHED
        self._held[trial_id] = Held(trial, values, [])
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
        elif judged(result, self._name) and result["epoch"] not in held.values:
            held.values[result["epoch"]] = float(result[self._name])
            try:
                held.trial.report(float(result[self._name]), result["epoch"])
            except (StorageInternalError, OSError) as error:
                self._full(error)

    def hear(self, trial_id: str, text: str) -> None:
        """What Tune has written down about the errors of a trial, of which the last one counts."""
        held = self._held.get(trial_id)
        if held is not None and LOW in text.rpartition("Failure #")[2]:
            held.wrong.append(SHORT)

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

    def _outcome(self, held: Held, row: Row, error: bool) -> Outcome:
        epoch = max([*held.values, row.get("epoch", 0)])
        ended = Outcome(held.trial.number, TrialState.COMPLETE, held.trial.params, held.values, epoch)
        if error or "status" not in row or row["status"] != "ok":
            gone = LATE if self._late(held.trial.number) else LOST
            reason, line = (held.wrong or [gone])[-1]
            return ended._replace(state=TrialState.FAIL, reason=reason, error=line)
        if row["epoch"] < row["epochs"]:
            return ended._replace(state=TrialState.PRUNED)
        if not finite(row["best"]):
            reason = "collapsed" if row.get("narrow") else "nan"
            line = f"no evaluation in {epoch} epochs gave a {self._name} that counts"
            return ended._replace(state=TrialState.FAIL, reason=reason, error=line)
        return ended._replace(best=float(row["best"]))

    def _tell(self, trial: Trial, outcome: Outcome) -> None:
        if outcome.state == TrialState.FAIL:
            trial.set_user_attr("reason", outcome.reason)
            trial.set_user_attr("error", outcome.error)
        # A stopped trial is told without a value: Optuna then takes the last one reported.
        self._study.tell(trial, outcome.best, outcome.state, skip_if_finished=True)

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the study is on disk after every call."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: a fresh searcher reads the study."""

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune pickles its whole set-up; nothing ever reads that file

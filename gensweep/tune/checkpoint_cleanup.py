"""`--keep-checkpoints 10GB`: all checkpoints of a sweep together stay within a size.

Those of the worst trials that have ended go first, failed ones before all. Rows, samples and best weights are never
touched, nor anything of an open trial; a trial whose checkpoints are gone cannot be trained on.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from gensweep.tune.searcher import Outcome
from gensweep.units import format_size
from trainables.objective import Goal, Values, values_by_epoch

PATTERN = "checkpoint_*.pt"


class CheckpointLimit:
    """Keeps the checkpoints below `directory`/trials within `limit` bytes; None is no limit."""

    def __init__(self, directory: Path, limit: int | None, goal: Goal, trials: Iterable[FrozenTrial]) -> None:
        self._trials, self._limit, self._goal = directory / "trials", limit, goal
        self._ended: dict[int, tuple[bool, bool, float]] = {}  # number -> failed, infeasible, loss: small is good
        self._sizes: dict[int, int] = {}  # of the ended ones that still have checkpoints
        self.deleted: dict[int, int] = {}  # number -> bytes
        for trial in trials:
            if trial.state.is_finished():
                self._enter(trial.number, trial.state, values_by_epoch(trial, goal.primary.metric))
        self._fit()

    def end(self, outcome: Outcome) -> None:
        """A trial has ended."""
        self._enter(outcome.number, outcome.state, outcome.seen)
        self._fit()

    def line(self) -> list[str]:
        """What a person wants to know of it."""
        if not self.deleted:
            return []
        count, size = len(self.deleted), format_size(sum(self.deleted.values()))
        return [
            f"checkpoints of {count} trial{'s' * (count > 1)} ({size}) were deleted to keep within --keep-checkpoints: "
            "rows, samples and best weights are there, but these trials cannot be trained on"
        ]

    def _enter(self, number: int, state: TrialState, told: Mapping[int, Values]) -> None:
        at = self._goal.best(told)
        order = (True, float("inf")) if at is None else self._goal.order(told[at])
        self._ended[number] = (state == TrialState.FAIL, *order)
        if self._limit is not None and (size := self._held(number)):
            self._sizes[number] = size

    def _held(self, number: int) -> int:
        return sum(path.stat().st_size for path in (self._trials / f"{number:04d}").glob(PATTERN))

    def _fit(self) -> None:
        if self._limit is None or not self._trials.exists():
            return
        running = {int(path.name) for path in self._trials.iterdir() if path.name.isdigit()} - self._ended.keys()
        over = sum(self._sizes.values()) + sum(map(self._held, running)) - self._limit
        for number in sorted(self._sizes, key=lambda one: self._ended[one], reverse=True):
            if over <= 0:
                return
            for path in (self._trials / f"{number:04d}").glob(PATTERN):
                path.unlink()
            self.deleted[number] = self._sizes.pop(number)
            over -= self.deleted[number]

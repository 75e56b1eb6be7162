"""`--keep-checkpoints 10GB`: delete checkpoints so that those of a sweep together stay within a size.

Checkpoints of failed trials are deleted first, then those of the worst trials that have ended. Rows, samples and best
weights are never deleted, nor anything of an open trial. A trial whose checkpoints are gone cannot be trained further.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from gensweep.tune.searcher import Outcome
from gensweep.units import format_size
from trainables.objective import Goal, Values, values_by_epoch

PATTERN = "checkpoint_*.pt"


class CheckpointLimit:
    """Keep the checkpoints below `directory`/trials within `limit` bytes. None means without a limit."""

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
        """Note that a trial has ended, and delete what is now over the limit."""
        self._enter(outcome.number, outcome.state, outcome.by_epoch)
        self._fit()

    def line(self) -> list[str]:
        """Return the line about deleted checkpoints; nothing if none was deleted."""
        if not self.deleted:
            return []
        count, size = len(self.deleted), format_size(sum(self.deleted.values()))
        return [
            f"checkpoints of {count} trial{'s' * (count > 1)} ({size}) were deleted to keep within --keep-checkpoints: "
            "rows, samples and best weights are kept, but these trials cannot be trained further"
        ]

    def _enter(self, number: int, state: TrialState, by_epoch: Mapping[int, Values]) -> None:
        epoch = self._goal.best(by_epoch)
        order = (True, float("inf")) if epoch is None else self._goal.order(by_epoch[epoch])
        self._ended[number] = (state == TrialState.FAIL, *order)
        if self._limit is not None and (size := self._checkpoint_bytes(number)):
            self._sizes[number] = size

    def _checkpoint_bytes(self, number: int) -> int:
        return sum(path.stat().st_size for path in (self._trials / f"{number:04d}").glob(PATTERN))

    def _fit(self) -> None:
        if self._limit is None or not self._trials.exists():
            return
        running = {int(path.name) for path in self._trials.iterdir() if path.name.isdigit()} - self._ended.keys()
        over = sum(self._sizes.values()) + sum(map(self._checkpoint_bytes, running)) - self._limit
        for number in sorted(self._sizes, key=self._ended.__getitem__, reverse=True):
            if over <= 0:
                return
            for path in (self._trials / f"{number:04d}").glob(PATTERN):
                path.unlink()
            self.deleted[number] = self._sizes.pop(number)
            over -= self.deleted[number]

"""What is known of a running sweep, and how it reads: counts, the best so far, the time left."""

import math
import time
from collections import Counter, deque
from typing import Any, NamedTuple

from optuna.trial import FrozenTrial, TrialState
from rich.table import Table

from analysis.read.manifest import SweepManifest
from gensweep.tune.searcher import Outcome
from gensweep.units import format_duration
from trainables.objective import Goal, Values, values_by_epoch

RECENT = 6
STATE_WORDS = {TrialState.COMPLETE: "done", TrialState.PRUNED: "stopped", TrialState.FAIL: "failed"}


class Best(NamedTuple):
    number: int
    epoch: int
    values: Values
    params: dict[str, Any]


class SweepProgress:
    """The state of a sweep as its driver sees it; starts from what the study already holds."""

    def __init__(self, manifest: SweepManifest, trials: list[FrozenTrial], slots: int = 1) -> None:
        self.slots, self._begun, self._busy_s = slots, dict[int, float](), 0.0
        self.goal, self.total = manifest.goal, manifest.trials
        self.metric = self.goal.primary.metric
        self.swept = manifest.searched
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.running: dict[int, str] = {}
        self.recent: deque[Outcome] = deque(maxlen=RECENT)
        self.best: Best | None = None
        self._began = time.monotonic()
        self._ended_here = 0
        for trial in trials:
            if trial.state in STATE_WORDS:
                self._count(trial.state, trial.user_attrs.get("reason"))
            if trial.state != TrialState.FAIL:
                self.consider(trial.number, trial.params, values_by_epoch(trial, self.metric))

    @property
    def ended(self) -> int:
        return sum(self.counts.values())

    def consider(self, number: int, params: dict[str, Any], told: dict[int, Values]) -> None:
        """Takes the best of these epochs, if it keeps the constraints and beats the best so far."""
        epoch = self.goal.best(told)
        if epoch is None or not self.goal.keeps(told[epoch]):
            return
        if self.best is None or self.goal.order(told[epoch]) < self.goal.order(self.best.values):
            self.best = Best(number, epoch, told[epoch], params)

    def start(self, number: int) -> None:
        """A worker takes up a trial."""
        self.running.setdefault(number, "-|0")
        self._begun[number] = time.monotonic()

    def leave(self, number: int) -> None:
        """A worker is done with a trial, or lost."""
        self.running.pop(number, None)
        self._busy_s += time.monotonic() - self._begun.pop(number, time.monotonic())

    def utilisation(self) -> float:
        """The share of this launch's worker time in which a worker held a trial."""
        now = time.monotonic()
        busy = self._busy_s + sum(now - began for began in self._begun.values())
        return busy / (self.slots * (now - self._began))

    def finish(self, outcome: Outcome) -> None:
        self.leave(outcome.number)
        self._count(outcome.state, outcome.reason)
        self._ended_here += 1
        self.recent.append(outcome)
        if outcome.state != TrialState.FAIL:
            self.consider(outcome.number, outcome.params, outcome.seen)

    def _count(self, state: TrialState, reason: str | None) -> None:
        self.counts[STATE_WORDS[state]] += 1
        if reason is not None:
            self.reasons[reason] += 1

    def left_s(self) -> float | None:
        """Seconds until the last trial ends, at the pace of this launch; None before its first trial has ended."""
        if not self._ended_here:
            return None
        return float((time.monotonic() - self._began) / self._ended_here * (self.total - self.ended))

    def summary(self) -> str:
        """The counts, the best and the time left on one line."""
        parts = [f"{self.ended}/{self.total} trials"]
        parts += [f"{self.counts[word]} {word}" for word in STATE_WORDS.values() if self.counts[word]]
        if self.running:
            parts.append(f"{len(self.running)} running")
        if self.best is not None:
            parts.append(f"best {format_scores(self.goal, self.best.values)} (trial {self.best.number})")
        elif self.goal.constraints and self.ended:
            parts.append("none keeps the constraints yet")
        left = self.left_s()
        if left is not None and self.ended < self.total:
            parts.append(f"about {format_duration(left)} left")
        return ", ".join(parts)

    def best_line(self) -> str:
        """The best so far: its trial, score, epoch and parameters."""
        if self.best is None:
            return "none yet"
        best = self.best
        score = format_scores(self.goal, best.values)
        return f"trial {best.number}, {score} at epoch {best.epoch}: {format_params(best.params)}"

    def failures(self) -> str:
        """Why trials failed: `2 nan, 1 oom`."""
        return ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())

    def line(self, outcome: Outcome) -> str:
        """One finished trial on one line."""
        head = f"trial {outcome.number:4d}  {STATE_WORDS[outcome.state]:7s}"
        if outcome.state == TrialState.FAIL:
            return f"{head}  {outcome.reason}: {outcome.error}"
        at = self.goal.best(outcome.seen)
        score = format_scores(self.goal, outcome.seen[at] if at is not None else {}, 8)
        return f"{head}  {score}  epoch {outcome.epoch:3d}  {format_params(outcome.params)}"

    def table(self) -> Table:
        """The live view."""
        table = Table(title=self.summary(), title_justify="left", title_style="bold", box=None, expand=True)
        for column in ("trial", "state", self.metric, "epoch"):
            table.add_column(column, no_wrap=True)
        table.add_column("parameters", no_wrap=True, overflow="ellipsis", ratio=1)  # takes what is left of the line
        for outcome in self.recent:
            shown = [format_number(values[self.metric]) for values in [*outcome.seen.values()][-1:]] or ["-"]
            said = f"{outcome.reason}: {outcome.error}" if outcome.reason else format_params(outcome.params)
            table.add_row(str(outcome.number), STATE_WORDS[outcome.state], shown[0], str(outcome.epoch), said)
        for running, said in sorted(self.running.items()):
            table.add_row(str(running), "running", *said.split("|", 1), "")
        if self.best is not None:
            table.add_section()
            best = self.best
            score = format_number(best.values[self.metric])
            table.add_row(str(best.number), "best", score, str(best.epoch), format_params(best.params))
        return table


def format_scores(goal: Goal, values: Values, width: int = 0) -> str:
    """The objectives by name, then what constraints are broken: `fid 12.5, precision 0.7; breaks modes>=7 (6.2)`."""
    told = ", ".join(
        f"{one.metric} {format_number(values.get(one.metric, math.nan)):>{width}s}" for one in goal.objectives
    )
    broken = [one for one in goal.constraints if one.key in values and one.excess(values) > 0]
    return "; ".join([told, *(f"breaks {one} ({format_number(values[one.key])})" for one in broken)])


def format_number(value: float) -> str:
    return f"{value:.4g}"


def format_params(values: dict[str, Any]) -> str:
    """Parameters as a user would write them."""
    return " ".join(f"{key}={format_number(v) if isinstance(v, float) else v}" for key, v in values.items())

"""The progress of a running sweep and its text: counts, the best so far, the time left."""

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
    """The state of a sweep as its driver sees it. It starts from what the study already holds."""

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

    def consider(self, number: int, params: dict[str, Any], by_epoch: dict[int, Values]) -> None:
        """Take the best of these epochs if it keeps the constraints and beats the best so far."""
        epoch = self.goal.best(by_epoch)
        if epoch is None or not self.goal.keeps(by_epoch[epoch]):
            return
        if self.best is None or self.goal.order(by_epoch[epoch]) < self.goal.order(self.best.values):
            self.best = Best(number, epoch, by_epoch[epoch], params)

    def start(self, number: int) -> None:
        """Note that a worker starts a trial."""
        self.running.setdefault(number, "-|0")
        self._begun[number] = time.monotonic()

    def leave(self, number: int) -> None:
        """Note that a worker is done with a trial, or lost."""
        self.running.pop(number, None)
        self._busy_s += time.monotonic() - self._begun.pop(number, time.monotonic())

    def utilisation(self) -> float:
        """Return the share of this launch's worker time in which a worker had a trial."""
        now = time.monotonic()
        busy = self._busy_s + sum(now - began for began in self._begun.values())
        return busy / (self.slots * (now - self._began))

    def finish(self, outcome: Outcome) -> None:
        self.leave(outcome.number)
        self._count(outcome.state, outcome.reason)
        self._ended_here += 1
        self.recent.append(outcome)
        if outcome.state != TrialState.FAIL:
            self.consider(outcome.number, outcome.params, outcome.by_epoch)

    def _count(self, state: TrialState, reason: str | None) -> None:
        self.counts[STATE_WORDS[state]] += 1
        if reason is not None:
            self.reasons[reason] += 1

    def left_s(self) -> float | None:
        """Return the seconds until the last trial ends, at the pace of this launch; None before the first has ended."""
        if not self._ended_here:
            return None
        return float((time.monotonic() - self._began) / self._ended_here * (self.total - self.ended))

    def summary(self) -> str:
        """Return the counts, the best and the time left on one line."""
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
        """Return the best so far: its trial, score, epoch and parameters."""
        if self.best is None:
            return "none yet"
        best = self.best
        score = format_scores(self.goal, best.values)
        return f"trial {best.number}, {score} at epoch {best.epoch}: {format_params(best.params)}"

    def failures(self) -> str:
        """Return why trials failed: `2 nan, 1 oom`."""
        return ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())

    def line(self, outcome: Outcome) -> str:
        """Return one finished trial on one line."""
        head = f"trial {outcome.number:4d}  {STATE_WORDS[outcome.state]:7s}"
        if outcome.state == TrialState.FAIL:
            return f"{head}  {outcome.reason}: {outcome.error}"
        best_epoch = self.goal.best(outcome.by_epoch)
        score = format_scores(self.goal, {} if best_epoch is None else outcome.by_epoch[best_epoch], 8)
        return f"{head}  {score}  epoch {outcome.epoch:3d}  {format_params(outcome.params)}"

    def table(self) -> Table:
        """Return the table of the live view."""
        table = Table(title=self.summary(), title_justify="left", title_style="bold", box=None, expand=True)
        for column in ("trial", "state", self.metric, "epoch"):
            table.add_column(column, no_wrap=True)
        table.add_column("parameters", no_wrap=True, overflow="ellipsis", ratio=1)  # the rest of the line
        for outcome in self.recent:
            shown = [format_number(values[self.metric]) for values in [*outcome.by_epoch.values()][-1:]] or ["-"]
            note = f"{outcome.reason}: {outcome.error}" if outcome.reason else format_params(outcome.params)
            table.add_row(str(outcome.number), STATE_WORDS[outcome.state], shown[0], str(outcome.epoch), note)
        for number, cells in sorted(self.running.items()):
            table.add_row(str(number), "running", *cells.split("|", 1), "")
        if self.best is not None:
            table.add_section()
            best = self.best
            score = format_number(best.values[self.metric])
            table.add_row(str(best.number), "best", score, str(best.epoch), format_params(best.params))
        return table


def format_scores(goal: Goal, values: Values, width: int = 0) -> str:
    """Return the objectives by name, then the broken constraints: `fid 12.5, precision 0.7; breaks modes>=7 (6.2)`."""
    scores = ", ".join(
        f"{metric} {format_number(values.get(metric, math.nan)):>{width}s}" for metric, _ in goal.objectives
    )
    broken = [limit for limit in goal.constraints if limit.key in values and limit.excess(values) > 0]
    return "; ".join([scores, *(f"breaks {limit} ({format_number(values[limit.key])})" for limit in broken)])


def format_number(value: float) -> str:
    return f"{value:.4g}"


def format_params(values: dict[str, Any]) -> str:
    """Return parameters as a user would write them."""
    return " ".join(f"{key}={format_number(v) if isinstance(v, float) else v}" for key, v in values.items())

"""Early stopping: asynchronous successive halving (Li et al. 2020, arXiv:1810.05934) and the median rule of Vizier
(Golovin et al. 2017).

Both rules decide as Ray's ASHAScheduler (one bracket) and MedianStoppingRule do. Four things differ. They only see
evaluated rows: a value repeated between evaluations, a NaN or a collapsed trial neither stops a trial nor raises the
bar. They never stop a trial at its own last epoch. They never stop the defaults or an initial point (`--point`,
`--warm-from`), because the other trials are compared with these; but they count the values of these trials. They know
trials by number and start from the values that the study holds, so a resumed sweep decides as an undisturbed one.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from analysis.read.manifest import SweepManifest
from gensweep.tune import ray_internals
from gensweep.tune.node_blocklist import NodeBlocklist
from trainables.objective import is_valid_evaluation

Row = dict[str, Any]
History = dict[int, dict[int, float]]  # trial number -> epoch -> primary objective
MIN_PEERS = 3  # other trials that the median needs


class Rule(Protocol):
    """Decides from the primary objective of trials, by number, at evaluated epochs."""

    def stops(self, number: int, epoch: int, value: float) -> bool:
        """Record the value, and return whether the trial is stopped."""


class Halving:
    """At each rung, stop a trial that is not among the best 1/`reduction_factor` of those recorded there so far."""

    def __init__(self, mode: str, grace: int, reduction_factor: int, epochs: int) -> None:
        self._sign = 1.0 if mode == "max" else -1.0
        self._percent = (1 - 1 / reduction_factor) * 100
        epochs_of_rungs = rung_epochs(grace, reduction_factor, epochs + 1)
        self._rungs: dict[int, dict[int, float]] = {epoch: {} for epoch in reversed(epochs_of_rungs)}

    def stops(self, number: int, epoch: int, value: float) -> bool:
        score = self._sign * value
        for rung, scores in self._rungs.items():  # the highest first; one that was skipped takes a later value
            if epoch >= rung and number not in scores:
                stopped = bool(scores) and bool(score < np.nanpercentile(list(scores.values()), self._percent))
                scores[number] = score
                return stopped
        return False


class Median:
    """Stop a trial whose best value is worse than the median of the other trials' running means."""

    def __init__(self, mode: str, grace: int) -> None:
        self._better = max if mode == "max" else min
        self._grace = grace
        self._values: History = {}

    def stops(self, number: int, epoch: int, value: float) -> bool:
        values = self._values.setdefault(number, {})
        if epoch in values:
            return False
        values[epoch] = value
        if epoch < self._grace:
            return False
        means = [self._mean(other, epoch) for other in self._values if other != number]
        means = [mean for mean in means if np.isfinite(mean)]
        if len(means) < MIN_PEERS:
            return False
        best = self._better(values.values())
        return self._better(float(np.median(means)), best) != best

    def _mean(self, number: int, epoch: int) -> float:
        """Return the mean from the grace period to `epoch`; NaN if the trial has not come that far."""
        values = self._values[number]
        if next(reversed(values)) < epoch:
            return float("nan")
        within = [value for at_epoch, value in values.items() if self._grace <= at_epoch <= epoch]
        return float(np.mean(within)) if within else float("nan")


class EarlyStopping:
    """A rule, applied to the rows that trials report; `past` holds the values of earlier launches.

    The first `n_initial` trials are never stopped.
    """

    def __init__(self, rule: Rule, metric: str, n_initial: int, past: History) -> None:
        self._rule, self._metric, self._n_initial = rule, metric, n_initial
        for number in sorted(past):
            for epoch in sorted(past[number]):
                rule.stops(number, epoch, past[number][epoch])

    def stops(self, number: int, row: Row) -> bool:
        """Return whether the trial is stopped after this row."""
        if not is_valid_evaluation(row, self._metric):
            return False
        is_worse = self._rule.stops(number, row["epoch"], row[self._metric])  # records the value for the other trials
        return is_worse and number >= self._n_initial and row["epoch"] < row["epochs"]


class SweepScheduler(FIFOScheduler):
    """Ray Tune's scheduler of a sweep: trials start in order, and None stops none early.

    It also passes on what Tune reports to schedulers only: the text of an error, and which trial may move to another
    node.
    """

    def __init__(
        self, early_stopping: EarlyStopping | None, note_error_text: Callable[[str, str], None], nodes: NodeBlocklist
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._early_stopping, self._note_error_text, self._nodes = early_stopping, note_error_text, nodes

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        if not ray_internals.has_failed(trial):  # on_trial_error has assigned a retry: Tune files it by its resources
            self._nodes.assign(trial)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: Row) -> str:
        stops = self._early_stopping is not None and self._early_stopping.stops(trial.config["number"], result)
        return str(TrialScheduler.STOP if stops else TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: Row) -> None:
        self._nodes.on_success(result)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        text = ray_internals.last_error(trial)
        self._note_error_text(trial.trial_id, text)
        self._nodes.on_failure(trial, text)


def rung_epochs(grace: int, reduction_factor: int, epochs: int) -> tuple[int, ...]:
    """Return the epochs at which halving decides: grace * reduction_factor^k, below the longest trial."""
    rungs = [grace]
    while rungs[-1] * reduction_factor < epochs:
        rungs.append(rungs[-1] * reduction_factor)
    return tuple(epoch for epoch in rungs if epoch < epochs)


def early_stopping(manifest: SweepManifest, past: History) -> EarlyStopping | None:
    """Return the early stopping of a sweep, which knows the values of earlier launches; None if it stops no trial."""
    metric, mode = manifest.goal.primary
    if manifest.scheduler == "none":
        return None
    rule: Rule = Halving(mode, manifest.grace, manifest.reduction_factor, manifest.epochs)
    if manifest.scheduler == "median":
        rule = Median(mode, manifest.grace)
    return EarlyStopping(rule, metric, manifest.n_initial, past)

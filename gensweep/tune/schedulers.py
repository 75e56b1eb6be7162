"""When a trial is stopped early: asynchronous successive halving (Li et al. 2020, arXiv:1810.05934), the median rule
of Vizier (Golovin et al. 2017), or never.

Ray's schedulers, with three differences. They decide on evaluated rows only, so that a value repeated between
evaluations, a NaN or a collapsed trial neither stops anyone nor sets a bar. They never stop a trial at its own last
epoch. And their memory is rebuilt from the study when a sweep is resumed: an open trial gets its old values as it comes
back, all others are entered at the start.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, MedianStoppingRule, TrialScheduler

from analysis.read.manifest import SweepManifest
from gensweep.tune.node_blocklist import NodeBlocklist
from gensweep.tune.searcher import Row
from trainables.objective import is_valid_evaluation

History = dict[int, dict[int, float]]  # trial number -> epoch -> primary objective


class PastTrial:
    """Stands for a trial of an earlier launch."""

    def __init__(self, number: int) -> None:
        self.trial_id = f"past-{number}"
        self.config = {"number": number}


def rung_epochs(grace: int, reduction_factor: int, epochs: int) -> tuple[int, ...]:
    """The epochs at which halving decides: grace * reduction_factor^k, below the longest run."""
    found = [grace]
    while found[-1] * reduction_factor < epochs:
        found.append(found[-1] * reduction_factor)
    return tuple(epoch for epoch in found if epoch < epochs)


class _Hears:
    """Hands on what Tune knows of an error, of which it tells a searcher only that there was one; and has `nodes` say
    where a trial may run."""

    hear: Callable[[str, str], None]  # trial id, text
    nodes: NodeBlocklist

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        super().on_trial_add(tune_controller, trial)  # type: ignore[misc]  # the rule behind this one
        if tune_controller is not None and not trial.run_metadata.error_filename:
            self.nodes.assign(trial)  # a retry was placed as it failed: Tune has filed it by its resources since

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: Row) -> None:
        self.nodes.on_success(result)
        self.on_trial_remove(tune_controller, trial)  # its last row has been seen, and counts once

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        super().on_trial_remove(tune_controller, trial)  # type: ignore[misc]

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        last = Path(trial.error_file).read_text(encoding="utf-8").rpartition("Failure #")[2]
        self.hear(trial.trial_id, last)
        self.nodes.on_failure(trial, last)


class NoEarlyStopping(_Hears, FIFOScheduler):
    """Stops no trial."""

    def __init__(self, hear: Callable[[str, str], None], nodes: NodeBlocklist) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.hear, self.nodes = hear, nodes


class _Remembers(_Hears):
    """What both rules share: which rows they decide on, and what they know of earlier launches."""

    _metric: str
    _past: History

    def enter_finished(self, open_numbers: set[int]) -> None:
        """Enters every trial of the past that is not going to come back."""
        for number in sorted(set(self._past) - open_numbers):
            ghost = PastTrial(number)
            self.on_trial_add(None, ghost)
            self.on_trial_remove(None, ghost)

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        super().on_trial_add(tune_controller, trial)
        values = self._past.pop(trial.config["number"], {})  # a retry within this launch keeps its entries
        for epoch in sorted(values):
            self._enter(trial, epoch, values[epoch])

    def on_trial_result(self, tune_controller: Any, trial: Any, result: Row) -> str:
        go_on = str(TrialScheduler.CONTINUE)
        if not is_valid_evaluation(result, self._metric) or self._knows(trial, result["epoch"]):
            return go_on
        decision = str(super().on_trial_result(tune_controller, trial, result))  # type: ignore[misc]
        return decision if result["epoch"] < result["epochs"] else go_on

    def _enter(self, trial: Any, epoch: int, value: float) -> None:
        raise NotImplementedError

    def _knows(self, trial: Any, epoch: int) -> bool:
        return False


class Halving(_Remembers, ASHAScheduler):  # type: ignore[misc]  # Ray ships no types here
    """ASHA with one bracket, whose rungs outlive the driver."""

    def __init__(self, metric: str, mode: str, grace: int, reduction_factor: int, epochs: int, past: History) -> None:
        longest = max(epochs, grace) + 1  # Ray stops a trial at `max_t`: never, so that its last work is done
        super().__init__(
            "epoch", metric, mode, max_t=longest, grace_period=grace, reduction_factor=reduction_factor, brackets=1
        )
        self._past = dict(past)

    def _enter(self, trial: Any, epoch: int, value: float) -> None:
        self._trial_info[trial.trial_id].on_result(trial, epoch, float(self._metric_op or 1) * value)


class Median(_Remembers, MedianStoppingRule):  # type: ignore[misc]  # Ray ships no types here
    """The median rule on evaluated epochs, whose means outlive the driver; it stops, and never pauses."""

    def __init__(self, metric: str, mode: str, grace: int, past: History) -> None:
        super().__init__("epoch", metric, mode, grace_period=grace, hard_stop=True)
        self._min_time_slice = float("inf")  # type: ignore[assignment]  # else a trial with too few peers is paused
        self._past = dict(past)

    def _enter(self, trial: Any, epoch: int, value: float) -> None:
        self._results[trial].append({"epoch": epoch, self._metric: value})

    def _knows(self, trial: Any, epoch: int) -> bool:
        return any(row["epoch"] == epoch for row in self._results.get(trial, []))


def build_scheduler(
    manifest: SweepManifest,
    past: History,
    open_numbers: set[int],
    hear: Callable[[str, str], None] = lambda trial_id, text: None,
    nodes: NodeBlocklist | None = None,
) -> Any:
    """The scheduler of a resolved sweep, knowing what the study knows; hands on the errors that it sees."""
    nodes = nodes or NodeBlocklist(print)
    metric, mode = manifest.goal.primary.metric, manifest.goal.primary.mode
    if manifest.scheduler == "none":
        return NoEarlyStopping(hear, nodes)
    if manifest.scheduler == "median":
        rule: Any = Median(metric, mode, manifest.grace, past)
    else:
        rule = Halving(metric, mode, manifest.grace, manifest.reduction_factor, manifest.epochs, past)
    rule.hear, rule.nodes = hear, nodes
    rule.enter_finished(open_numbers)
    return rule

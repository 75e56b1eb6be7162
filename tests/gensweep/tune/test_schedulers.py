"""Early stopping: the rungs, what may decide, and that a resumed sweep decides as an undisturbed one."""

import math
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.scheduling import EPOCHS, TRIALS, make, plays, row
from ray.tune.schedulers import ASHAScheduler, MedianStoppingRule, TrialScheduler

from gensweep.tune.schedulers import SweepScheduler, rung_epochs
from trainables.objective import is_valid_evaluation


def test_rungs_lie_below_the_longest_trial() -> None:
    assert rung_epochs(1, 3, 10) == (1, 3, 9)
    assert rung_epochs(1, 3, 9) == (1, 3)
    assert rung_epochs(2, 3, 5) == (2,)
    assert rung_epochs(1, 3, 1) == ()
    assert rung_epochs(4, 2, 4) == ()


def test_asha_decides_at_its_rungs_and_nowhere_else() -> None:
    asha = make("asha", {})
    assert [asha.stops(number, row(1, value)) for number, value in enumerate((1, 2, 3))] == [False, True, True]
    assert not asha.stops(1, row(2, 99.0))  # not a rung
    assert not asha.stops(3, row(1, 0.5))


@pytest.mark.parametrize("kind", ["asha", "median"])
@pytest.mark.parametrize(
    "harmless",
    [
        row(3, 99.0, eval_epoch=1),
        row(3, 99.0, status="collapsed"),
        row(3, math.nan),
        row(3, math.nan, status="nan"),
        {"epoch": 0, "epochs": 9, "eval_epoch": -1, "status": "error", "error": "x"},
        row(3, 99.0, epochs=3),
    ],
)
def test_rows_that_decide_nothing(kind: str, harmless: dict[str, Any]) -> None:
    rule = make(kind, {number: {1: 1.0, 3: 1.0} for number in range(4)})
    assert not rule.stops(9, harmless)
    assert rule.stops(10, row(3, 99.0))


@pytest.mark.parametrize("kind", ["asha", "median"])
def test_defaults_and_points_are_never_stopped_but_count(kind: str) -> None:
    points = [{"lr": 1e-3}, {"lr": 1e-2}]
    good = {number: {1: 1.0} for number in (3, 4, 5, 6)}
    bad = {number: {1: 99.0} for number in range(3)}
    rule = make(kind, good, points=points)
    assert [rule.stops(number, row(1, 99.0)) for number in range(8)] == [False] * 7 + [True]  # 3 to 6 report again
    raised = make(kind, {number: {1: 1.0} for number in range(3)}, points=points)
    assert [raised.stops(number, row(1, 9.0)) for number in (3, 4)] == [True, True]  # three good initial trials
    lowered = make(kind, bad, points=points)
    assert not lowered.stops(3, row(1, 9.0))


@pytest.mark.parametrize("kind", ["asha", "median"])
def test_a_resumed_scheduler_decides_as_an_undisturbed_one(kind: str) -> None:
    whole = plays(kind, None)
    assert {decision for *_, decision in whole} == {True, False}
    for kill_at in range(1, len(whole)):
        assert plays(kind, kill_at) == whole, f"killed after {kill_at} of {len(whole)} decisions"


def test_without_its_memory_it_would_not() -> None:
    whole = plays("asha", None)
    assert {number for number, epoch, _ in whole if epoch == EPOCHS} != set(range(TRIALS))
    assert not make("asha", {}).stops(1, row(1, 9.0))


class RaysTrial:
    """A trial as Ray's own schedulers see it."""

    def __init__(self, number: int) -> None:
        self.trial_id = str(number)


class RaysRule:
    """Ray's own scheduler, which sees the same rows, and may not stop a trial at its own last epoch."""

    def __init__(self, kind: str, mode: str, grace: int, factor: int) -> None:
        if kind == "asha":
            longest = max(EPOCHS, grace) + 1  # Ray stops every trial at `max_t`
            self._rule: Any = ASHAScheduler("epoch", "fid", mode, longest, grace, factor, brackets=1)
        else:  # never pausing
            self._rule = MedianStoppingRule("epoch", "fid", mode, grace, min_time_slice=math.inf)  # type: ignore[arg-type]
        self._trials: dict[int, RaysTrial] = {}

    def stops(self, number: int, seen: dict[str, Any]) -> bool:
        if number not in self._trials:
            self._trials[number] = RaysTrial(number)
            self._rule.on_trial_add(None, self._trials[number])
        if not is_valid_evaluation(seen, "fid"):
            return False
        decision = self._rule.on_trial_result(None, self._trials[number], seen)
        return bool(decision == TrialScheduler.STOP) and seen["epoch"] < seen["epochs"]


def stopped_alike(kind: str, seed: int) -> int:
    """Play a random history to both; return how many trials were stopped."""
    draw = random.Random(seed)
    mode, grace, factor = draw.choice(["min", "max"]), draw.randint(1, 4), draw.choice([2, 3, 4])
    own, rays = make(kind, {}, mode, grace, factor), RaysRule(kind, mode, grace, factor)
    every, levels = draw.choice([1, 1, 2, 3]), draw.choice([3, 1000])
    waiting, at = list(range(1, 41)), dict[int, int]()  # without trial 0, which only Ray would stop
    epochs = {number: draw.choice([EPOCHS, EPOCHS, 4]) for number in waiting}
    stopped = 0
    while waiting or at:
        if waiting and (not at or draw.random() < 0.2):
            at[waiting.pop(0)] = 0
        number = draw.choice(list(at))
        at[number] += 1
        epoch = at[number]
        value = math.nan if draw.random() < 0.05 else draw.randrange(levels) / levels + 1 / epoch
        eval_epoch = epoch if epoch % every == 0 or epoch == epochs[number] else epoch - 1
        reported = row(epoch, value, epochs[number], eval_epoch=eval_epoch)
        decision = own.stops(number, reported)
        assert decision == rays.stops(number, reported), (seed, number, epoch)
        stopped += decision
        if decision or epoch == epochs[number]:
            del at[number]
    return stopped


@pytest.mark.long
@pytest.mark.parametrize("kind", ["asha", "median"])
def test_decides_as_rays_own_scheduler(kind: str) -> None:
    """Random histories: ties, NaN, repeated values, sparse evaluations, short trials, late starters, both modes."""
    assert sum(stopped_alike(kind, seed) for seed in range(60)) > 300


class Nodes:
    """Records what a scheduler passes on."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def assign(self, trial: Any) -> None:
        self.calls.append(("assign", trial.trial_id))

    def on_success(self, result: dict[str, Any]) -> None:
        self.calls.append(("success", result["epoch"]))

    def on_failure(self, trial: Any, text: str) -> None:
        self.calls.append(("failure", trial.trial_id, text))


def test_scheduler_passes_on_errors_and_stops_by_the_rule(tmp_path: Path) -> None:
    nodes, heard = Nodes(), list[tuple[str, str]]()
    scheduler = SweepScheduler(make("asha", {0: {1: 0.5}}), lambda *note: heard.append(note), nodes)  # type: ignore[arg-type]
    trial = SimpleNamespace(
        trial_id="a",
        config={"number": 1},
        error_file=str(tmp_path / "error.txt"),
        run_metadata=SimpleNamespace(error_filename=None),
    )
    (tmp_path / "error.txt").write_text("Failure # 1\nold\nFailure # 2\nnew")
    scheduler.on_trial_add(None, trial)
    assert scheduler.on_trial_result(None, trial, row(1, 9.0)) == TrialScheduler.STOP
    assert scheduler.on_trial_result(None, trial, row(2, 0.1)) == TrialScheduler.CONTINUE
    scheduler.on_trial_error(None, trial)
    trial.run_metadata.error_filename = "error.txt"
    scheduler.on_trial_add(None, trial)  # a retry, which has been assigned
    scheduler.on_trial_complete(None, trial, row(9, 0.1))
    assert heard == [("a", " 2\nnew")]
    assert nodes.calls == [("assign", "a"), ("failure", "a", " 2\nnew"), ("success", 9)]

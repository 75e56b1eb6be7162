"""Early stopping: the rungs, what may decide, and that a resumed sweep decides as an undisturbed one."""

import math
from typing import Any

import pytest
from helpers.scheduling import EPOCHS, GO_ON, STOP, TRIALS, Running, make, plays, row

from gensweep.tune.schedulers import Halving, Median, rung_epochs


def test_rungs_lie_below_the_longest_trial() -> None:
    assert rung_epochs(1, 3, 10) == (1, 3, 9)
    assert rung_epochs(1, 3, 9) == (1, 3)
    assert rung_epochs(2, 3, 5) == (2,)
    assert rung_epochs(1, 3, 1) == ()
    assert rung_epochs(4, 2, 4) == ()


def test_asha_decides_at_its_rungs_and_nowhere_else() -> None:
    asha = make("asha", {}, set())
    assert {int(milestone) for milestone, _ in asha._brackets[0]._rungs} == {*rung_epochs(1, 3, EPOCHS), 9}
    trials = [Running(number) for number in range(4)]
    for trial in trials:
        asha.on_trial_add(None, trial)
    assert [asha.on_trial_result(None, trials[i], row(1, value)) for i, value in enumerate((1, 2, 3))] == [
        GO_ON,
        STOP,
        STOP,
    ]
    assert asha.on_trial_result(None, trials[0], row(2, 99.0)) == GO_ON  # no rung
    assert asha.on_trial_result(None, trials[3], row(1, 0.5)) == GO_ON


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
    past = {number: {1: 1.0, 3: 1.0} for number in range(4)}
    rule, trial = make(kind, past, set()), Running(9)
    rule.on_trial_add(None, trial)
    assert rule.on_trial_result(None, trial, harmless) == GO_ON
    rule.on_trial_complete(None, trial, harmless)
    late = Running(10)
    rule.on_trial_add(None, late)
    assert rule.on_trial_result(None, late, row(3, 99.0)) == STOP


@pytest.mark.parametrize("kind", ["asha", "median"])
def test_a_resumed_scheduler_decides_as_an_undisturbed_one(kind: str) -> None:
    whole = plays(kind, None)
    assert {decision for *_, decision in whole} == {STOP, GO_ON}
    for kill_at in range(1, len(whole)):
        assert plays(kind, kill_at) == whole, f"killed after {kill_at} of {len(whole)} decisions"


def test_without_its_memory_it_would_not() -> None:
    whole = plays("asha", None)
    assert {number for number, epoch, _ in whole if epoch == EPOCHS} != set(range(TRIALS))
    forgetful = Halving("fid", "min", 1, 3, EPOCHS, {})
    trial = Running(0)
    forgetful.on_trial_add(None, trial)
    assert forgetful.on_trial_result(None, trial, row(1, 9.0)) == GO_ON


def test_median_never_pauses() -> None:
    rule: Any = Median("fid", "min", 1, {})
    assert rule._on_insufficient_samples(None, Running(0), 1) == GO_ON

"""The searcher and its sampler against a real SQLite study, without Ray: every way in which a trial can end."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.searching import FIRST, loss, manifest, row, run_one, searching
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from ray.tune.search import Searcher

from gensweep.config.samplers import SAMPLERS
from gensweep.tune.searcher import OpenTrial, Outcome, outcome

pytestmark = pytest.mark.long


def only(study: Study) -> FrozenTrial:
    (trial,) = study.get_trials()
    return trial


def test_trial_0_is_the_default_and_the_study_counts(tmp_path: Path) -> None:
    with searching(tmp_path) as (searcher, study):
        configs = [config for name in "abcde" if (config := run_one(searcher, name)) is not None]
        assert {key: configs[0][key] for key in FIRST} == FIRST
        assert [config["number"] for config in configs] == [0, 1, 2, 3]
        assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 4
        assert study.trials[0].intermediate_values == {e: loss(FIRST, e) for e in (1, 2, 3)}


def test_complete_is_told_the_best_value_and_not_the_last(tmp_path: Path) -> None:
    with searching(tmp_path) as (searcher, study):
        searcher.suggest("a")
        searcher.on_trial_result("a", row(1, 2.0))
        searcher.on_trial_complete("a", row(3, 5.0, best=2.0))
        assert only(study).value == 2.0


def test_stopped_trial_is_pruned_with_the_row_that_stopped_it(tmp_path: Path) -> None:
    told: list[Outcome] = []
    with searching(tmp_path, told=told) as (searcher, study):
        searcher.suggest("a")
        searcher.on_trial_result("a", row(1, 2.0))
        searcher.on_trial_complete("a", row(2, 4.0, best=2.0))
        assert only(study).state == TrialState.PRUNED
        assert only(study).intermediate_values == {1: 2.0, 2: 4.0}
        assert only(study).value == 4.0
        assert [outcome.state for outcome in told] == [TrialState.PRUNED]


NAN = row(3, math.nan, best=math.nan)
TOLD = [("oom", "first"), ("nan", "last")]


@pytest.mark.parametrize(
    ("last", "error", "timed_out", "faults", "state", "reason", "line"),
    [
        (row(3, 1.0), False, False, [], TrialState.COMPLETE, None, None),
        (row(3, 1.0), False, True, TOLD, TrialState.COMPLETE, None, None),  # a retry that went well
        (row(2, 1.0), False, False, [], TrialState.PRUNED, None, None),
        ({}, True, False, [], TrialState.FAIL, "lost", "its worker died or never started"),
        ({}, True, True, [], TrialState.FAIL, "timeout", "it took longer than --trial-timeout"),
        ({}, True, True, TOLD, TrialState.FAIL, "nan", "last"),
        ({}, False, False, TOLD, TrialState.FAIL, "nan", "last"),
        (row(3, 1.0), True, False, [], TrialState.FAIL, "lost", "its worker died or never started"),
        (row(2, 1.0, status="nan"), False, False, TOLD, TrialState.FAIL, "nan", "last"),
        (NAN, False, False, [], TrialState.FAIL, "nan", "no evaluation in 3 epochs gave a fid that counts"),
        (
            NAN | {"narrow": True},
            False,
            False,
            [],
            TrialState.FAIL,
            "collapsed",
            "no evaluation in 3 epochs gave a fid that counts",
        ),
    ],
)
def test_outcome_of_a_trial(
    last: dict[str, Any],
    error: bool,
    timed_out: bool,
    faults: list[tuple[str, str]],
    state: TrialState,
    reason: str | None,
    line: str | None,
) -> None:
    trial: Any = SimpleNamespace(number=3, params={})
    ended = outcome(OpenTrial(trial, {1: {"fid": 2.0}}, faults), manifest().goal, last, error, timed_out)
    assert (ended.number, ended.state, ended.reason, ended.error) == (3, state, reason, line)
    assert ended.epoch == last.get("epoch", 1)
    assert ended.best == ({"fid": 1.0} if state == TrialState.COMPLETE else None)


@pytest.mark.parametrize(
    ("last", "error", "reason"),
    [
        (row(2, math.nan, status="nan", error="loss is nan"), False, "nan"),
        (row(3, math.nan, best=math.nan), False, "nan"),
        (row(3, math.inf, best=math.inf), False, "nan"),
        (row(2, 1.0, status="collapsed", error="one class"), False, "collapsed"),
        (None, True, "lost"),
    ],
)
def test_failures_are_classified_and_never_stay_open(
    tmp_path: Path, last: dict[str, Any] | None, error: bool, reason: str
) -> None:
    with searching(tmp_path) as (searcher, study):
        searcher.suggest("a")
        searcher.on_trial_result("a", row(1, 2.0))
        searcher.on_trial_complete("a", last, error=error)
        assert only(study).state == TrialState.FAIL
        assert only(study).user_attrs["reason"] == reason
        assert only(study).user_attrs["error"]
        assert only(study).intermediate_values == {1: 2.0}


def test_error_after_a_classified_row_keeps_the_class(tmp_path: Path) -> None:
    with searching(tmp_path) as (searcher, study):
        searcher.suggest("a")
        searcher.on_trial_result(
            "a", {"status": "oom", "error": "no memory", "epoch": 0, "epochs": 3, "eval_epoch": -1}
        )
        searcher.on_trial_complete("a", error=True)
        assert only(study).user_attrs == {"reason": "oom", "error": "no memory"}


def test_telling_twice_changes_nothing(tmp_path: Path) -> None:
    told: list[Outcome] = []
    with searching(tmp_path, told=told) as (searcher, study):
        searcher.suggest("a")
        for _ in range(2):
            searcher.on_trial_result("a", row(1, 2.0))
            searcher.on_trial_result("a", row(1, 9.0))  # a resumed trial tells its row once more
        for _ in range(2):
            searcher.on_trial_complete("a", row(3, 1.0))
        assert only(study).intermediate_values == {1: 2.0, 3: 1.0}
        assert len(told) == 1


def test_values_repeated_between_evaluations_are_not_recorded(tmp_path: Path) -> None:
    with searching(tmp_path) as (searcher, study):
        searcher.suggest("a")
        searcher.on_trial_result("a", row(1, 2.0))
        searcher.on_trial_result("a", row(2, 2.0, eval_epoch=1))
        assert only(study).intermediate_values == {1: 2.0}


def test_open_trials_come_back_first_under_their_numbers(tmp_path: Path) -> None:
    with searching(tmp_path) as (searcher, _):
        before = [searcher.suggest(name) for name in "abc"]
        searcher.on_trial_result("b", row(1, 2.0))
        searcher.on_trial_complete("a", row(3, 1.0))
    with searching(tmp_path) as (searcher, study):
        assert searcher.left == 3
        assert [searcher.suggest(name) for name in "xy"] == before[1:]
        searcher.on_trial_result("x", row(1, 2.5))  # it has this epoch
        searcher.on_trial_result("x", row(2, 1.5))
        searcher.on_trial_complete("x", row(3, 1.2))
        assert study.trials[1].intermediate_values == {1: 2.0, 2: 1.5, 3: 1.2}
        assert searcher.suggest("z")["number"] == 3
        assert searcher.suggest("w") == Searcher.FINISHED


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_killed_search_goes_on_as_if_it_had_not_been(tmp_path: Path, sampler: str) -> None:
    total = 8  # the model-based ones begin after 5
    with searching(tmp_path / "whole", total, sampler=sampler) as (searcher, _):
        whole = [run_one(searcher, str(i)) for i in range(total)]
    parts: list[Any] = []
    for launch in range(4):
        with searching(tmp_path / "parts", total, sampler=sampler) as (searcher, _):
            parts += [run_one(searcher, str(i)) for i in range(total // 4)]
            if launch < 3:
                searcher.suggest("killed while it ran")
    assert parts == whole
    with searching(tmp_path / "other", total, sampler=sampler, seed=1) as (searcher, _):
        assert [run_one(searcher, str(i)) for i in range(3)][1:] != whole[1:3]


def test_killed_between_two_parameters(tmp_path: Path) -> None:
    with searching(tmp_path / "whole") as (searcher, _):
        run_one(searcher, "a")
        whole = run_one(searcher, "b")
    with searching(tmp_path / "torn") as (searcher, study):
        run_one(searcher, "a")
        study.ask().suggest_categorical("kind", ("flat", "steep"))
    with searching(tmp_path / "torn") as (searcher, _):
        assert run_one(searcher, "b") == whole

"""Several objectives and constraints: what a real Optuna study records of them, without Ray."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from helpers.searching import FIRST, TWO, manifest, space
from optuna.study import Study
from optuna.trial import TrialState

from gensweep.search.study_storage import open_study, primary_values
from gensweep.tune.schedulers import History
from gensweep.tune.searcher import StudySearcher
from trainables.objective import Goal, Objective, constraint, values_by_epoch

pytestmark = pytest.mark.long

EPOCHS = 3


@contextmanager
def searching(
    folder: Path, constraints: tuple[str, ...] = (), objectives: Any = TWO, total: int = 9, sampler: str = "tpe"
) -> Generator[tuple[StudySearcher, Study, Goal]]:
    folder.mkdir(exist_ok=True)
    several = tuple(Objective(**about) for about in objectives)
    goal = Goal(several[0], several, tuple(map(constraint, constraints)))
    about = manifest(sampler)._replace(goal=goal)
    with open_study(folder, about, FIRST) as study:
        yield StudySearcher(study, space, goal, total), study, goal


def row(goal: Goal, epoch: int, best_epoch: int = 0, best: Any = None, **values: Any) -> Any:
    """A row as a worker reports it, with what its goal marks."""
    made = {"epoch": epoch, "epochs": EPOCHS, "status": "ok", "eval_epoch": epoch, **values}
    goal.mark(made, best, best_epoch)
    return made


A: Any


B: Any


C: Any


A, B, C = {"fid": 9.0, "precision": 0.2}, {"fid": 5.0, "precision": 0.6}, {"fid": 7.0, "precision": 0.9}


def test_searcher__one_epoch_for_all_objectives(tmp_path: Path) -> None:
    with searching(tmp_path) as (searcher, study, goal):
        searcher.suggest("a")
        searcher.on_trial_result("a", row(goal, 1, **A))
        searcher.on_trial_result("a", row(goal, 2, **B))
        searcher.on_trial_complete("a", row(goal, 3, 2, B, **C))
        (trial,) = study.get_trials()
        assert (trial.state, trial.values) == (TrialState.COMPLETE, [5.0, 0.6])  # not the precision of epoch 3
        assert values_by_epoch(trial, "fid") == {1: A, 2: B, 3: C}
        assert primary_values(study, "fid") == {0: {1: 9.0, 2: 5.0, 3: 7.0}}


def test_searcher__stopped_and_failed_trials(tmp_path: Path) -> None:
    with searching(tmp_path, ("precision>=0.5",)) as (searcher, study, goal):
        for name in "abc":
            searcher.suggest(name)
            searcher.on_trial_result(name, row(goal, 1, 1, A, **A))
        searcher.on_trial_complete("a", row(goal, 2, 1, A, **A))
        searcher.on_trial_complete("b", {**row(goal, 2, 1, A), "status": "nan", "error": "loss is nan"})
        searcher.on_trial_complete("c", row(goal, 3, fid=3.0, precision=None))
        stopped, failed, without = study.get_trials()
        assert stopped.state == TrialState.PRUNED
        assert stopped.values is None  # Optuna takes no intermediate ones of several objectives
        assert stopped.constraints == {"precision>=0.5": pytest.approx(0.3)}
        assert (failed.state, failed.user_attrs["reason"], failed.constraints) == (TrialState.FAIL, "nan", {})
        assert without.user_attrs["error"] == "no evaluation in 3 epochs gave a precision that counts"


def test_searcher__epoch_within_constraints_wins(tmp_path: Path) -> None:
    with searching(tmp_path, ("precision>=0.8",), TWO[:1]) as (searcher, study, goal):
        assert goal.best({1: A, 2: B, 3: C}) == 3
        assert goal.best({1: A, 2: B}) == 2  # none keeps them
        searcher.suggest("a")
        searcher.on_trial_result("a", row(goal, 1, 1, B, **B))
        searcher.on_trial_complete("a", row(goal, 3, 3, C, **C))
        (trial,) = study.get_trials()
        assert (trial.value, trial.intermediate_values) == (7.0, {1: 5.0, 3: 7.0})
        assert trial.constraints == {"precision>=0.8": pytest.approx(-0.1)}
        assert study.best_trial.number == 0


def test_searcher__open_trials_keep_their_rows(tmp_path: Path) -> None:
    with searching(tmp_path, ("modes<=7.5",)) as (searcher, _, goal):
        before = searcher.suggest("a")
        searcher.on_trial_result("a", row(goal, 1, modes=7.0, **B))
    with searching(tmp_path, ("modes<=7.5",)) as (searcher, study, goal):
        assert searcher.suggest("b") == before
        best = {"modes": 7.0, **B}
        searcher.on_trial_result("b", row(goal, 1, 1, {"modes": 0.0, **A}, modes=0.0, **A))  # it has this epoch
        searcher.on_trial_complete("b", row(goal, 3, 1, best, modes=9.0, **C))
        (trial,) = study.get_trials()
        assert values_by_epoch(trial, "fid") == {1: best, 3: {"modes": 9.0, **C}}
        assert (trial.values, trial.constraints) == ([5.0, 0.6], {"modes<=7.5": -0.5})


@pytest.mark.parametrize("sampler", ["tpe", "nsgaii", "gp", "qmc", "random", "grid"])
@pytest.mark.parametrize("objectives", [TWO, TWO[:1]])
def test_searcher__stopped_failed_and_infeasible_trials(sampler: str, objectives: Any, tmp_path: Path) -> None:
    total = 18 if sampler == "nsgaii" else 8  # past its first population
    with searching(tmp_path, ("precision>=0.5",), objectives, total, sampler) as (searcher, study, goal):
        for number in range(total):
            config = searcher.suggest(str(number))
            values = {"fid": config["n"] + config["x"], "precision": 1 - config["n"] / 8}
            searcher.on_trial_result(str(number), row(goal, 1, 1, values, **values))
            end = 1 if number % 4 == 1 else EPOCHS
            last = row(goal, end, 1, values, **values)
            searcher.on_trial_complete(str(number), {**last, "status": "error"} if number % 4 == 2 else last)
        states = [trial.state for trial in study.get_trials()]
        assert states[:3] == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL]
        assert TrialState.RUNNING not in states
        assert any(value > 0 for trial in study.get_trials() for value in trial.constraints.values())


def test_schedulers__history_of_the_primary_objective(tmp_path: Path) -> None:
    with searching(tmp_path) as (searcher, study, goal):
        searcher.suggest("a")
        searcher.on_trial_result("a", row(goal, 1, **A))
        past: History = primary_values(study, "precision")
        assert past == {0: {1: 0.2}}

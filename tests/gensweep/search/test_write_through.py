"""The study in memory against the one on the disk: alike after every step, and few words between them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
from helpers.searching import FIRST, manifest, row, run_one, searching, space
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event
from sqlalchemy.engine import Engine

from analysis.read import optuna_study
from analysis.read.manifest import SweepManifest
from gensweep.search.optuna_internals import storage_of
from gensweep.search.study_storage import open_study
from gensweep.tune.searcher import StudySearcher
from trainables import filestore

pytestmark = pytest.mark.long

FIELDS = ("number", "state", "params", "distributions", "values", "intermediate_values", "user_attrs", "system_attrs")


def said(trials: list[FrozenTrial]) -> list[dict[str, Any]]:
    return [{field: getattr(trial, field) for field in FIELDS} for trial in trials]


def system_attrs(study: optuna.Study) -> dict[str, Any]:
    storage = storage_of(study)
    return dict(storage.get_study_system_attrs(storage.get_study_id_from_name(study.study_name)))


def on_disk(folder: Path, about: SweepManifest) -> list[FrozenTrial]:
    return optuna_study.read_trials(filestore.open_directory(folder), about)


@pytest.mark.parametrize(
    ("sampler", "storage"), [("tpe", None), ("tpe", "journal"), ("cmaes", None), ("nsgaii", None), ("grid", None)]
)  # each sampler keeps something else in the study
def test_memory_and_disk_agree_after_every_step(tmp_path: Path, sampler: str, storage: str | None) -> None:
    about = manifest(sampler)._replace(storage=storage)
    with open_study(tmp_path, about, FIRST) as study:
        searcher = StudySearcher(study, space, about.goal, 8)
        for i in range(6):
            run_one(searcher, str(i))
            assert said(on_disk(tmp_path, about)) == said(study.trials)
        searcher.suggest("failing")
        assert on_disk(tmp_path, about)[-1].state == TrialState.RUNNING
        assert said(on_disk(tmp_path, about)) == said(study.trials)
        searcher.on_trial_complete("failing", row(1, 1.0) | {"status": "nan"})
        assert said(on_disk(tmp_path, about)) == said(study.trials)
        before = said(study.trials), system_attrs(study)
    with open_study(tmp_path, about, FIRST) as study:
        assert (said(study.trials), system_attrs(study)) == before


def test_a_trial_is_stored_with_its_parameters_before_a_worker_has_it(tmp_path: Path) -> None:
    with searching(tmp_path) as (searcher, _):
        searcher.suggest("0")
        config = searcher.suggest("1")
        begun = on_disk(tmp_path, manifest())[1]
        assert (begun.state, begun.params) == (TrialState.RUNNING, {key: config[key] for key in begun.params})
        assert begun.params


def test_a_trial_that_nobody_has_is_not_stored_and_is_asked_again(tmp_path: Path) -> None:
    with searching(tmp_path) as (searcher, study):
        run_one(searcher, "0")
        asked = space(study.ask())  # and the driver dies
        assert len(on_disk(tmp_path, manifest())) == 1
    with searching(tmp_path) as (searcher, study):
        assert searcher.suggest("1") == {**asked, "number": 1}


@contextmanager
def counted() -> Generator[list[str]]:
    """The statements of every SQL storage meanwhile."""
    statements = list[str]()

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


def test_what_a_trial_costs_in_statements(tmp_path: Path) -> None:
    """Optuna's own storage takes three for each parameter and some sixty in all."""
    with searching(tmp_path, total=9, sampler="random") as (searcher, _):
        for i in range(3):
            run_one(searcher, str(i))
        with counted() as statements:
            searcher.suggest("3")
            asked = len(statements)
            searcher.on_trial_complete("3", row(3, 1.0))
        assert sum(line.startswith("INSERT INTO trial_params") for line in statements) == 1
        assert asked <= 8
        assert len(statements) - asked <= 8

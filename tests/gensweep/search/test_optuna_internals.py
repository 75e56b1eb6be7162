"""The private parts of Optuna that gensweep uses: that they are there, and what happens if they are not."""

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers._tpe import _truncnorm
from optuna.storages import InMemoryStorage, RDBStorage
from optuna.trial import TrialState

from gensweep.search import optuna_internals
from gensweep.search.optuna_internals import fast_log_ndtr

UNCHANGED = """
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers._tpe import _truncnorm
before = _truncnorm._log_ndtr
import gensweep, gensweep.api, gensweep.search.samplers, gensweep.search.study_storage
import gensweep.search.optuna_internals, gensweep.tune.run_tuner
assert _truncnorm._log_ndtr is before
"""


def begun(storage: Any) -> optuna.Study:
    """A study with one RUNNING trial of two parameters."""
    study = optuna.create_study(storage=storage, study_name="s")
    trial = study.ask()
    trial.suggest_float("x", 0.0, 1.0)
    trial.suggest_categorical("kind", ("a", "b"))
    return study


def test_version_note(monkeypatch: pytest.MonkeyPatch) -> None:
    assert optuna_internals.version_note() is None
    monkeypatch.setattr(optuna, "__version__", "6.0.1")
    assert optuna_internals.version_note() == "optuna 6.0.1 is not a tested version (5.x): watch for odd behaviour"


@pytest.mark.long
def test_importing_gensweep_changes_nothing_in_optuna() -> None:
    done = subprocess.run([sys.executable, "-c", UNCHANGED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_faster_log_ndtr_is_optunas(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.concatenate([np.linspace(-60, 9, 1001), -(10.0 ** np.linspace(1, 8, 20))])
    before = _truncnorm._log_ndtr
    with fast_log_ndtr():
        assert _truncnorm._log_ndtr is not before
        fast = _truncnorm._log_ndtr(x)
    assert _truncnorm._log_ndtr is before
    np.testing.assert_allclose(fast, [_truncnorm._log_ndtr_single(float(value)) for value in x], rtol=1e-9, atol=1e-15)

    first, second = fast_log_ndtr(), fast_log_ndtr()  # two sweeps in threads of one process, the first ends first
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert _truncnorm._log_ndtr is not before
    second.__exit__(None, None, None)
    assert _truncnorm._log_ndtr is before

    def called(a: Any) -> Any:
        raise LookupError

    monkeypatch.setattr(_truncnorm, "_log_ndtr", called)
    with pytest.raises(LookupError):  # so Optuna does call it by this name
        _truncnorm._log_gauss_mass(np.array([-2.0]), np.array([-1.0]))


def test_without_log_ndtr_nothing_is_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(_truncnorm, "_log_ndtr")
    with fast_log_ndtr():
        assert not hasattr(_truncnorm, "_log_ndtr")


def test_storage_and_id_of_a_study() -> None:
    storage = InMemoryStorage()
    study = begun(storage)
    assert optuna_internals.storage_of(study) is storage
    renamed: Any = SimpleNamespace(name="s", held=storage)
    assert optuna_internals.storage_of(renamed) is storage
    (trial,) = study.get_trials()
    study_id = storage.get_study_id_from_name("s")
    nameless: Any = SimpleNamespace(number=trial.number)
    assert optuna_internals.trial_id(trial, storage, study_id) == trial._trial_id
    assert optuna_internals.trial_id(nameless, storage, study_id) == trial._trial_id


def test_reopened_trial_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    begun(url)
    study = optuna.load_study(study_name="s", storage=url)
    (frozen,) = study.get_trials()
    trial = optuna_internals.reopened(study, frozen)
    trial.report(2.0, 1)
    study.tell(trial, 1.0)
    (ended,) = study.get_trials()
    assert (ended.state, ended.params, ended.intermediate_values) == (TrialState.COMPLETE, frozen.params, {1: 2.0})


@pytest.mark.parametrize("known", [True, False])
def test_parameters_are_stored_either_way(tmp_path: Path, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    (template,) = begun(InMemoryStorage()).get_trials()
    storage = RDBStorage(f"sqlite:///{tmp_path}/study.db")
    study = optuna.create_study(storage=storage, study_name="s")
    if not known:
        monkeypatch.setattr(optuna_internals, "PARAM_COLUMNS", {"other"})
    table = optuna_internals.params_table(storage)
    assert (table is not None) == known
    bare = study.ask()
    optuna_internals.store_params(storage, table, bare._trial_id, template)
    (stored,) = optuna.load_study(study_name="s", storage=f"sqlite:///{tmp_path}/study.db").get_trials()
    assert (stored.params, stored.distributions) == (template.params, template.distributions)
    assert optuna_internals.params_table(InMemoryStorage()) is None


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_artifact_attribute_is_what_optuna_writes(tmp_path: Path) -> None:
    store, study = FileSystemArtifactStore(str(tmp_path)), begun(InMemoryStorage())
    (tmp_path / "epoch_0001.png").write_bytes(io.BytesIO(b"x").getvalue())
    trial = optuna_internals.reopened(study, study.get_trials()[0])
    name = upload_artifact(artifact_store=store, file_path=str(tmp_path / "epoch_0001.png"), study_or_trial=trial)
    attributes = study.get_trials()[0].system_attrs
    own = optuna_internals.artifact_attribute(name, "epoch_0001.png", "image/png")
    assert {key: json.loads(text) for key, text in own.items()}.items() <= {
        key: json.loads(text) for key, text in attributes.items() if key in own
    }.items()


def test_contains() -> None:
    kinds, steps = CategoricalDistribution(["a", "b"]), FloatDistribution(0.0, 1.0, step=0.25)
    assert [optuna_internals.contains(kinds, value) for value in ("a", "c")] == [True, False]
    assert [optuna_internals.contains(steps, value) for value in (0.5, 0.6, 2.0)] == [True, False, False]
    unchecked: Any = SimpleNamespace(to_internal_repr=lambda value: value)
    assert optuna_internals.contains(unchecked, 7)

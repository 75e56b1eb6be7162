"""Everything of Optuna that is not its public API, each with the reason and what happens if a later Optuna lacks it.

Tested with the Optuna of `TESTED`; another one gets a line of warning, not an error. Importing this file changes
nothing in Optuna.
"""

import json
import re
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial
from sqlalchemy import MetaData, Table, insert
from sqlalchemy.exc import SQLAlchemyError

TESTED = 5  # major
PARAM_COLUMNS = {"param_id", "trial_id", "param_name", "param_value", "distribution_json"}  # of the table trial_params
ARTIFACT_PREFIX = "artifacts:"  # of the system attributes that name a trial's artifacts
_log_ndtr_lock = threading.Lock()
_log_ndtr_before: list[Any] = []  # Optuna's function, then once more for every further search that is open


def version_note() -> str | None:
    """Return a line for the user if this Optuna is not one that the tests ran with."""
    major = re.match(r"\d+", optuna.__version__)
    if major and int(major[0]) == TESTED:
        return None
    return f"optuna {optuna.__version__} is not a tested version ({TESTED}.x): watch for odd behaviour"


def storage_of(study: Study) -> BaseStorage:
    """Return the storage object of a study, which has no public attribute for it; else the one that the study holds
    under another name."""
    storage = getattr(study, "_storage", None)
    return storage or next(value for value in vars(study).values() if isinstance(value, BaseStorage))


def trial_id(trial: FrozenTrial, storage: BaseStorage, study_id: int) -> int:
    """Return a trial's id in its storage. The public way is a query for each trial: the fallback."""
    stored = getattr(trial, "_trial_id", None)
    return int(storage.get_trial_id_from_study_id_trial_number(study_id, trial.number) if stored is None else stored)


def reopened(study: Study, trial: FrozenTrial) -> Trial:
    """Return a handle of a RUNNING trial that another process began. Optuna's `ask` only makes new ones; the
    constructor is public, "not recommended", and takes an id."""
    storage = storage_of(study)
    return Trial(study, trial_id(trial, storage, storage.get_study_id_from_name(study.study_name)))


def params_table(storage: BaseStorage) -> Table | None:
    """Return Optuna's SQL table of parameters for `store_params`; None if it is not the known one, or not SQL."""
    if not isinstance(storage, RDBStorage):
        return None
    try:
        table = Table("trial_params", MetaData(), autoload_with=storage.engine)
    except SQLAlchemyError:
        return None
    return table if set(table.columns.keys()) == PARAM_COLUMNS else None


def store_params(storage: RDBStorage, table: Table | None, stored_id: int, trial: FrozenTrial) -> None:
    """Store all parameters of a new trial in one statement. The public way takes three for each parameter: the fallback
    without a known table."""
    lines: list[dict[str, Any]] = [
        {
            "trial_id": stored_id,
            "param_name": name,
            "param_value": distribution.to_internal_repr(trial.params[name]),
            "distribution_json": distribution_to_json(distribution),
        }
        for name, distribution in trial.distributions.items()
    ]
    if table is None:
        for line, distribution in zip(lines, trial.distributions.values(), strict=True):
            storage.set_trial_param(stored_id, line["param_name"], line["param_value"], distribution)
    elif lines:
        try:
            with storage.engine.begin() as connection:
                connection.execute(insert(table), lines)
        except SQLAlchemyError as error:
            raise StorageInternalError("parameters cannot be stored") from error


def contains(distribution: BaseDistribution, value: Any) -> bool:
    """Return whether a trial with this value is valid: Optuna refuses others, steps included, when they are added. If
    it has no such check any more, every value passes."""
    check = getattr(distribution, "_contains", lambda internal: True)
    try:
        return bool(check(distribution.to_internal_repr(value)))
    except ValueError:  # not one of the choices
        return False


@contextmanager
def fast_log_ndtr() -> Generator[None]:
    """Let TPE use SciPy's log_ndtr meanwhile. Optuna's is a Python function of one number, called for every kernel:
    half of a proposal's time at 1,000 trials. If the function is not there, TPE is slower, nothing else.

    The two differ in the last bits, so of searches in several threads the first puts it in and the last takes it out.
    """
    try:
        from optuna.samplers._tpe import _truncnorm
    except ImportError:
        _truncnorm = None  # type: ignore[assignment]
    if not hasattr(_truncnorm, "_log_ndtr"):
        yield
        return
    from scipy.special import log_ndtr

    with _log_ndtr_lock:
        _log_ndtr_before.append(_truncnorm._log_ndtr)
        _truncnorm._log_ndtr = log_ndtr
    try:
        yield
    finally:
        with _log_ndtr_lock:
            _truncnorm._log_ndtr = _log_ndtr_before.pop()


def artifact_attribute(name: str, filename: str, mimetype: str) -> Mapping[str, str]:
    """Return the system attribute that makes a file an artifact of a trial. `optuna.artifacts.upload_artifact` writes
    it too, but copies the file and refuses a trial that has ended. If Optuna renames it, the dashboard shows no
    pictures."""
    about: dict[str, Any] = {"artifact_id": name, "filename": filename, "mimetype": mimetype, "encoding": None}
    return {ARTIFACT_PREFIX + name: json.dumps(about)}

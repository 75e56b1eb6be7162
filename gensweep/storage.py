"""The Optuna study of a sweep: the one truth about its trials, and the sampler that can be resumed.

Proposals depend on (sweep seed, trial number, finished history) alone: each trial gets a fresh inner sampler, seeded by
its number, and each parameter that is drawn by itself a sampler seeded by its name as well. So a study that was killed
goes on, at one trial at a time, as if it had never stopped. TPE is Bergstra et al. 2011 in its multivariate form
(Falkner et al. 2018, arXiv:1807.01774), with a group per branch of a conditional space and the constant liar for
trials that are still running.
"""

import hashlib
import sqlite3
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial

from gensweep.options import BadUsage, first_line

STARTUP_TRIALS = (
    5  # random ones before TPE: the defaults are among them, and sweeps here are tens of trials, not hundreds
)
BUSY_S = 60  # how long a writer waits for another one's lock on study.db


def derive(seed: int, *parts: str | int) -> int:
    """A seed in [0, 2^32), one for each path of names and numbers."""
    text = "/".join(map(str, (seed, *parts)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


def _tpe(seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # group=True is still called so
        return TPESampler(multivariate=True, group=True, constant_liar=True, n_startup_trials=STARTUP_TRIALS, seed=seed)


SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {"tpe": _tpe, "random": RandomSampler}


class ByNumber(BaseSampler):
    """A sampler whose every draw is a function of the seed, the trial's number and the finished history."""

    def __init__(self, name: str, seed: int) -> None:
        self._make = SAMPLERS[name]
        self._seed = seed
        self._inner = self._make(seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._inner = self._make(derive(self._seed, "trial", trial.number))
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        alone = self._make(derive(self._seed, "trial", trial.number, param_name))
        return alone.sample_independent(study, trial, param_name, param_distribution)


def _connect(path: Path) -> sqlite3.Connection:
    """SQLite with a write-ahead log, synced at checkpoints: twice the commits, and a killed process loses none."""
    connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def storage(directory: Path, url: str | None) -> RDBStorage:
    """The storage of a sweep: `study.db` in its directory, or the server at `url`.

    Raises:
        BadUsage: there is no such storage, or its driver is not installed.
    """
    path = directory / "study.db"
    try:
        return RDBStorage(url) if url else RDBStorage(f"sqlite:///{path}", {"creator": lambda: _connect(path)})
    except Exception as error:  # every driver has exceptions of its own
        raise BadUsage(f"cannot open the storage {url or path}: {first_line(error)}") from error


@contextmanager
def opened(directory: Path, sheet: dict[str, Any], first: dict[str, Any]) -> Generator[Study]:
    """The study of a resolved sweep, made where there is none; trial 0 has the parameters `first`."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kept = storage(directory, sheet["storage"])
    study = optuna.create_study(
        storage=kept,
        study_name=sheet["name"],
        sampler=ByNumber(sheet["sampler"], sheet["seed"]),
        direction="minimize" if sheet["objective"]["mode"] == "min" else "maximize",
        load_if_exists=True,
    )
    if not study.get_trials(deepcopy=False):
        study.enqueue_trial(first)
    try:
        yield study
    finally:
        kept.remove_session()
        kept.engine.dispose()
        if sheet["storage"] is None:
            _fold(directory / "study.db")


def _fold(path: Path) -> None:
    """Folds the write-ahead log into the file, so that a sweep at rest is one file, and reading it writes nothing."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError:
        return  # somebody is reading: the last reader's exit or the next driver's folds it
    finally:
        connection.close()


def check_storage(url: str, name: str, is_new: bool) -> None:
    """Whether a storage server can hold the sweep.

    Raises:
        BadUsage: it cannot be reached, or a new sweep's name is taken there.
    """
    kept = storage(Path(), url)
    taken = name in optuna.get_all_study_names(kept)
    kept.engine.dispose()
    if taken and is_new:
        raise BadUsage(f"storage {url} holds a study named {name!r} already: choose another --name")


def history(study: Study) -> dict[int, dict[int, float]]:
    """The objective at every evaluated epoch of every trial, by number."""
    return {trial.number: dict(trial.intermediate_values) for trial in study.get_trials(deepcopy=False)}

"""Open the Optuna study of a sweep, the authority on its trials: in SQLite, a journal file or a database server."""

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study, StudyDirection
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from analysis.read.manifest import SweepManifest
from analysis.read.optuna_study import with_driver
from gensweep.config.options import first_line
from gensweep.errors import UserError
from gensweep.search.optuna_internals import fast_log_ndtr
from gensweep.search.samplers import SeededByNumber
from gensweep.search.write_through import WriteThroughStorage
from gensweep.storage import bucket_sync, checks
from gensweep.storage.workdir import JOURNAL
from trainables.objective import values_by_epoch

PATIENCE_S = 600.0  # how long a sweep waits for a database server that went away
BUSY_S = 60  # how long a writer waits for another one's lock on study.db


def _connect(path: Path) -> sqlite3.Connection:
    """Connect to SQLite with a write-ahead log, synced at checkpoints: twice as many commits, and a killed process
    loses none."""
    connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def open_storage(directory: Path, where: str | None) -> BaseStorage:
    """Return the storage of a sweep: `study.db` or `study.journal` in its directory, or the server at a URL.

    Raises:
        UserError: the storage does not exist, or its driver is not installed.
    """
    path = directory / "study.db"
    try:
        if where == JOURNAL:
            return JournalStorage(JournalFileBackend(str(_drop_torn_line(directory / "study.journal"))))
        if where is None:
            return RDBStorage(f"sqlite:///{path}", {"creator": lambda: _connect(path)})
        served = _open_server(with_driver(where))
    except Exception as error:  # every driver has exceptions of its own
        raise UserError(f"cannot open the storage {hide_password(where) or path}: {first_line(error)}") from error
    event.listen(served.engine, "do_connect", _connect_with_retry)
    return served


def _open_server(url: str) -> RDBStorage:
    """Open a database. Optuna creates its tables without a lock, so processes take turns here."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_lock(hashtext('gensweep'))"))  # until this connection ends
        return RDBStorage(url, {"pool_pre_ping": True})


def _drop_torn_line(journal: Path) -> Path:
    """Cut a last line that a full disk or a kill has torn, and return the journal. Otherwise the next line would be
    appended to it, and Optuna could read neither."""
    if journal.exists():
        with journal.open("rb+") as file:
            length = file.read().rfind(b"\n") + 1
            file.truncate(length)
    return journal


def hide_password(url: str | None) -> str | None:
    """Return a storage URL without its password."""
    try:
        return url if url is None or "://" not in url else make_url(url).render_as_string(hide_password=True)
    except (ValueError, ArgumentError):  # not a URL: a password could be anywhere in it
        return url.partition("://")[0] + "://..." if url else url


def _connect_with_retry(dialect: Any, record: Any, arguments: Any, settings: Any) -> Any:
    """Connect again to a server that answered before, and wait for one that restarts."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return dialect.connect(*arguments, **settings)
        except dialect.dbapi.Error:
            if time.monotonic() > end:
                raise
            time.sleep(1.0)


@contextmanager
def closing_storage(directory: Path, where: str | None) -> Generator[BaseStorage]:
    """Give the storage of a sweep, and close it at the end."""
    storage = open_storage(directory, where)
    try:
        yield storage
    finally:
        storage.remove_session()
        if isinstance(storage, RDBStorage):
            storage.engine.dispose()
        if where is None:
            _checkpoint_wal(directory / "study.db")
        if where == JOURNAL:
            bucket_sync.compact_journal(directory)


def study_directions(manifest: SweepManifest) -> list[StudyDirection]:
    """Return the direction of each objective, in the order in which Optuna gets the values of a trial."""
    ways = {"min": StudyDirection.MINIMIZE, "max": StudyDirection.MAXIMIZE}
    return [ways[objective.mode] for objective in manifest.goal.objectives]


@contextmanager
def open_study(directory: Path, manifest: SweepManifest, first: dict[str, Any]) -> Generator[Study]:
    """Give the study of a resolved sweep, created if it does not exist. Trial 0 has the parameters `first`, and the
    points of the manifest come next."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with closing_storage(directory, manifest.storage) as storage, fast_log_ndtr():
        study = optuna.create_study(
            storage=storage,
            study_name=manifest.study,
            sampler=SeededByNumber(manifest.sampler, manifest.seed, manifest.space),
            directions=study_directions(manifest),
            load_if_exists=True,
        )
        wanted = [first, *manifest.points]
        for point in wanted[len(study.get_trials(deepcopy=False)) :]:  # a kill may have come between two points
            study.enqueue_trial(point)
        bucket_sync.compact_journal(directory)
        in_memory = WriteThroughStorage(storage, manifest.study, bucket_sync.journal_uploader(directory))
        yield optuna.load_study(study_name=manifest.study, storage=in_memory, sampler=study.sampler)


def _checkpoint_wal(path: Path) -> None:
    """Move the write-ahead log into the file, so that a sweep at rest is one file, and reading it writes nothing."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError:
        return  # a reader has it open: its exit, or the next driver, moves the log
    finally:
        connection.close()


def check_storage(url: str, name: str, is_new: bool) -> None:
    """Raise UserError if a storage server cannot hold the sweep.

    Raises:
        UserError: the server cannot be reached, or a new sweep's name is taken there.
    """
    if url == JOURNAL:
        return
    if url.startswith("sqlite:") and make_url(url).database:
        checks.check_lockable(Path(str(make_url(url).database)))
    with closing_storage(Path(), url) as storage:
        taken = name in optuna.get_all_study_names(storage)
    if taken and is_new:
        raise UserError(f"storage {hide_password(url)} holds a study named {name!r} already: choose another --name")


def primary_values(study: Study, metric: str) -> dict[int, dict[int, float]]:
    """Return the primary objective at every evaluated epoch of every trial, by trial number."""
    by_trial = {trial.number: values_by_epoch(trial, metric) for trial in study.get_trials(deepcopy=False)}
    return {
        number: {epoch: values[metric] for epoch, values in by_epoch.items()} for number, by_epoch in by_trial.items()
    }

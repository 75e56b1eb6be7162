"""Read the Optuna study of a sweep without writing to it.

`study.db` is in SQLite's write-ahead mode. While a driver writes to it, `mode=ro` reads it. If no driver has it open,
`study.db-wal` does not exist; `mode=ro` would create it, or fail on a read-only disk. In this case `immutable=1` is
safe: if a driver starts meanwhile, it writes to a new `study.db-wal` first. From a bucket, the file is copied to a
temporary folder.
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import quote

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from analysis.read.manifest import SweepManifest
from trainables.errors import UserError
from trainables.filestore import Directory

JOURNAL_FOLDER = "journal"  # holds the newest pieces of the journal of a sweep in a bucket
READ_TRIES = 3


def read_trials(directory: Directory, manifest: SweepManifest) -> list[FrozenTrial]:
    """Return all trials of the study by number, from `study.db` or from the storage URL of the sweep.

    Raise UserError if the study cannot be read or is lost. A new study would reuse the folders of earlier trials.
    """
    name = manifest.study
    trials = _read_storage(directory, manifest.storage, name)
    if not trials and directory.names("trials"):
        raise UserError(
            f"{directory.name!r} holds trials, but the study {name!r} that says what they are is gone or empty"
        )
    return trials


def _read_storage(directory: Directory, storage: str | None, name: str) -> list[FrozenTrial]:
    try:
        if storage == "journal":
            return _journal(directory, name)
        if storage is not None:
            return _all_trials(RDBStorage(with_driver(storage), {"poolclass": NullPool}), name)
        if not directory.has("study.db"):
            return []  # the sweep has not started yet
        if directory.local:
            return _sqlite(Path(directory.root) / "study.db", name)
        with tempfile.TemporaryDirectory() as folder:
            for file in ("study.db", "study.db-wal"):
                if directory.has(file):
                    (Path(folder) / file).write_bytes(directory.read(file))
            return _sqlite(Path(folder) / "study.db", name)
    except KeyError:
        return []  # the storage exists, but does not hold the study yet
    except (
        SQLAlchemyError,
        StorageInternalError,
        RuntimeError,
    ) as error:  # RuntimeError: the tables are those of another version
        raise UserError(f"cannot read the study of {directory.name!r}: {str(error).splitlines()[0]}") from error


def with_driver(url: str) -> str:
    """Return the URL with our driver for PostgreSQL named, since the default driver depends on SQLAlchemy's version."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1) if url.startswith("postgresql://") else url


def _journal(directory: Directory, name: str) -> list[FrozenTrial]:
    content = read_journal(directory)
    if not content:
        return []
    with tempfile.TemporaryDirectory() as folder:  # of a copy, since reading a journal may write a snapshot of it
        copy = Path(folder) / "study.journal"
        copy.write_bytes(content)
        return _all_trials(JournalStorage(JournalFileBackend(str(copy))), name)


def read_journal(directory: Directory) -> bytes:
    """Return the complete lines of `study.journal`.

    In a bucket it continues in pieces. Each is named after the byte at which it begins. The driver may merge the pieces
    into the main file while they are read, so reading is tried several times.
    """
    for _ in range(READ_TRIES):
        content = directory.read("study.journal") if directory.has("study.journal") else b""
        try:
            for piece in directory.names(JOURNAL_FOLDER):
                if int(piece) == len(content):
                    content += directory.read(f"{JOURNAL_FOLDER}/{piece}")
                elif int(piece) > len(content):
                    raise FileNotFoundError(piece)  # the pieces before it were merged meanwhile
        except FileNotFoundError:
            continue
        return content[: content.rfind(b"\n") + 1]  # the driver may be in the middle of a line
    raise UserError(f"the study of {directory.name!r} cannot be read: a piece of its journal is missing")


def _sqlite(path: Path, name: str) -> list[FrozenTrial]:
    with path.open("rb") as stream:
        ahead = stream.read(19)[18:] == b"\x02"  # https://sqlite.org/fileformat.html, 1.3.3: 2 is write-ahead
    idle = ahead and not path.with_name("study.db-wal").exists()
    return _all_trials(_read_only(path, "immutable=1" if idle else "mode=ro"), name)


def _read_only(path: Path, how: str) -> RDBStorage:
    address = f"file:{quote(str(path))}?{how}"
    connect = {"creator": lambda: sqlite3.connect(address, uri=True), "poolclass": NullPool}
    return RDBStorage("sqlite://", connect, skip_table_creation=True)


def _all_trials(storage: BaseStorage, name: str) -> list[FrozenTrial]:
    try:
        trials = storage.get_all_trials(storage.get_study_id_from_name(name), deepcopy=False)
    finally:
        storage.remove_session()
        if isinstance(storage, RDBStorage):
            storage.engine.dispose()
    return sorted(trials, key=lambda trial: trial.number)

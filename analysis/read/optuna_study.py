"""The Optuna study of a sweep, opened without ever writing to it.

`study.db` is in SQLite's write-ahead mode, and `mode=ro` reads it beside the driver that writes. Where no driver has it
open, there is no `study.db-wal`, and `mode=ro` would leave one behind, or fail on a read-only disk; there `immutable=1`
is right, since what a driver that starts meanwhile writes goes to its new `study.db-wal` first. From a bucket the file
is copied to a temporary folder.
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

JOURNAL_FOLDER = "journal"  # the folder of what is new in the journal of a sweep in a bucket
READ_TRIES = 3


def read_trials(where: Directory, manifest: SweepManifest) -> list[FrozenTrial]:
    """All trials of the study by number, from `study.db` or from the storage URL that the sweep names; UserError
    where it cannot be read or has been lost (a new one would train on in the folders of other trials)."""
    name = manifest.study
    found = _read_storage(where, manifest.storage, name)
    if not found and where.names("trials"):
        raise UserError(f"{where.name!r} holds trials, but the study {name!r} that says what they are is gone or empty")
    return found


def _read_storage(where: Directory, storage: str | None, name: str) -> list[FrozenTrial]:
    try:
        if storage == "journal":
            return _journal(where, name)
        if storage is not None:
            return _all_trials(RDBStorage(with_driver(storage), {"poolclass": NullPool}), name)
        if not where.has("study.db"):
            return []  # it has not begun yet
        if where.local:
            return _sqlite(Path(where.root) / "study.db", name)
        with tempfile.TemporaryDirectory() as folder:
            for file in ("study.db", "study.db-wal"):
                if where.has(file):
                    (Path(folder) / file).write_bytes(where.read(file))
            return _sqlite(Path(folder) / "study.db", name)
    except KeyError:
        return []  # the storage is there, the study not yet
    except (SQLAlchemyError, StorageInternalError, RuntimeError) as error:  # RuntimeError: another version's tables
        raise UserError(f"cannot read the study of {where.name!r}: {str(error).splitlines()[0]}") from error


def with_driver(url: str) -> str:
    """The URL with our driver for PostgreSQL: what a bare one means differs between releases of SQLAlchemy."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1) if url.startswith("postgresql://") else url


def _journal(where: Directory, name: str) -> list[FrozenTrial]:
    content = read_journal(where)
    if not content:
        return []
    with tempfile.TemporaryDirectory() as folder:  # a copy: reading a journal may write a snapshot of it
        copy = Path(folder) / "study.journal"
        copy.write_bytes(content)
        return _all_trials(JournalStorage(JournalFileBackend(str(copy))), name)


def read_journal(where: Directory) -> bytes:
    """The whole lines of `study.journal`. In a bucket it goes on in pieces, each named after the byte at which it
    begins; its writer may fold them into one while they are read."""
    for _ in range(READ_TRIES):
        content = where.read("study.journal") if where.has("study.journal") else b""
        try:
            for piece in where.names(JOURNAL_FOLDER):
                if int(piece) == len(content):
                    content += where.read(f"{JOURNAL_FOLDER}/{piece}")
                elif int(piece) > len(content):
                    raise FileNotFoundError(piece)  # those before it are folded now
        except FileNotFoundError:
            continue
        return content[: content.rfind(b"\n") + 1]  # its writer may be in the middle of a line
    raise UserError(f"the study of {where.name!r} cannot be read: a piece of its journal is missing")


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
        found = storage.get_all_trials(storage.get_study_id_from_name(name), deepcopy=False)
    finally:
        storage.remove_session()
        if isinstance(storage, RDBStorage):
            storage.engine.dispose()
    return sorted(found, key=lambda trial: trial.number)

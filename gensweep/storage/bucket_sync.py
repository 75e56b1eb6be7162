"""Copy the state of a sweep between its bucket and the driver's working directory, and hold the sweep's lease.

sweep.json is uploaded as a whole. The journal is uploaded in pieces: before Ray receives a trial, the new bytes become
an object that is named after the offset of its first byte (journal/000000012345). After every COMPACT_EVERY pieces the
whole journal replaces them.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from analysis.read import optuna_study
from gensweep.errors import UserError
from gensweep.storage.workdir import bucket_url
from trainables.filestore import Directory, open_directory

SYNCED_FILES = ("sweep.json", "final.json")
COMPACT_EVERY = 100  # pieces of a journal
LEASE = ".driver"
RENEW_S = 10.0
EXPIRY_S = 3 * RENEW_S  # a driver that has not renewed its lease for this long is dead

Say = Callable[[str], None]


def download_state(directory: Path) -> None:
    """Replace the files of a working directory by those in its bucket. Do nothing if it does not belong to a bucket.

    Raises:
        UserError: the bucket cannot be read, or something other than a sweep is there.
    """
    url = bucket_url(directory)
    if url is None:
        return
    bucket = open_directory(url)
    try:
        top = bucket._replace(root=bucket.root.partition("/")[0])
        if not bucket.local and not top.is_folder():
            raise UserError(f"{url} cannot be read: bucket {top.root!r} does not exist, or you may not read it")
        names = bucket.names("")
        contents = {name: bucket.read(name) for name in SYNCED_FILES if name in names}
        contents["study.journal"] = optuna_study.read_journal(bucket)
    except OSError as error:
        raise UserError(f"{url} cannot be read: {str(error).splitlines()[0]}") from error
    if names and "sweep.json" not in names:
        raise UserError(f"{url} is not empty and holds no sweep: choose another --name or --results")
    for name in (*SYNCED_FILES, "study.journal"):
        (directory / name).unlink(missing_ok=True)
        if contents.get(name):
            (directory / name).write_bytes(contents[name])


def upload_file(directory: Path, file: str) -> None:
    """Upload a file of a working directory to its bucket. Do nothing if it does not belong to a bucket."""
    url = bucket_url(directory)
    if url is not None:
        open_directory(url).write(file, (directory / file).read_bytes())


def journal_uploader(directory: Path) -> Callable[[], None]:
    """Return a function that uploads what is new in the journal of a working directory since its last call."""
    url = bucket_url(directory)
    if url is None:
        return lambda: None
    bucket, path = open_directory(url), directory / "study.journal"
    n_uploaded, n_pieces = path.stat().st_size if path.exists() else 0, 0

    def upload_new() -> None:
        nonlocal n_uploaded, n_pieces
        if not path.exists():
            return
        with path.open("rb") as file:
            file.seek(n_uploaded)
            new = file.read()
        if not new:
            return
        bucket.write(f"{optuna_study.JOURNAL_FOLDER}/{n_uploaded:012d}", new)
        n_uploaded, n_pieces = n_uploaded + len(new), n_pieces + 1
        if n_pieces % COMPACT_EVERY == 0:
            compact_journal(directory)

    return upload_new


def compact_journal(directory: Path) -> None:
    """Upload the journal of a working directory in one piece, and delete the pieces that it replaces.

    Do nothing if the directory does not belong to a bucket.
    """
    url, path = bucket_url(directory), directory / "study.journal"
    if url is None or not path.exists():
        return
    bucket, content = open_directory(url), path.read_bytes()
    bucket.write(path.name, content)
    for piece in bucket.names(optuna_study.JOURNAL_FOLDER):
        if int(piece) < len(content):
            bucket.delete(f"{optuna_study.JOURNAL_FOLDER}/{piece}")


@contextmanager
def hold_lease(directory: Path, say: Say, lost: Callable[[], None]) -> Generator[None]:
    """Hold the lease of a sweep in a bucket: an object that its driver rewrites every RENEW_S.

    Buckets have no locks. If two drivers start in the same second, the later writer wins and the other one detects it.
    `lost` is called if another driver took the lease because it believed this one dead.

    Raises:
        UserError: another driver holds the lease.
    """
    url = bucket_url(directory)
    if url is None:
        yield
        return
    bucket, holder = open_directory(url), (directory / LEASE).read_text(encoding="utf-8")
    _wait_for_dead_driver(bucket, say)
    _write_lease(bucket, holder, 0)
    time.sleep(1.0)
    if not _lease_text(bucket).startswith(holder):
        raise UserError(f"another gensweep is running {url} ({_lease_text(bucket)}): wait for it, or stop it")
    ended = threading.Event()
    thread = threading.Thread(target=_renew_lease_loop, args=(bucket, holder, ended, lost), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        if _lease_text(bucket).startswith(holder):
            bucket.delete(LEASE)


def is_leased(directory: Path) -> bool:
    """Return whether a driver on any machine has renewed the lease of a sweep within the last EXPIRY_S.

    A driver that died less than EXPIRY_S ago still counts.
    """
    url = bucket_url(directory)
    if url is None:
        return False
    bucket = open_directory(url)
    renewed_ns = bucket.files.get_file_info(f"{bucket.root}/{LEASE}").mtime_ns
    return renewed_ns is not None and time.time() - renewed_ns / 1e9 < EXPIRY_S


def _wait_for_dead_driver(bucket: Directory, say: Say) -> None:
    """Return once the lease is gone or has not changed for EXPIRY_S; raise UserError if its holder renews it."""
    lease, end = _lease_text(bucket), time.monotonic() + EXPIRY_S
    if lease:
        say(f"waiting {EXPIRY_S:.0f} s to see whether an earlier driver is still running ({lease.partition(', ')[0]})")
    while lease and time.monotonic() < end:
        time.sleep(1.0)
        current = _lease_text(bucket)
        if current and current != lease:
            raise UserError(f"another gensweep is running {bucket.name} ({current}): wait for it, or stop it")
        lease = current


def _lease_text(bucket: Directory) -> str:
    try:
        return bucket.read(LEASE).decode()
    except FileNotFoundError:
        return ""


def _write_lease(bucket: Directory, holder: str, count: int) -> None:
    bucket.write(LEASE, f"{holder}, beat {count}".encode())


def _renew_lease_loop(bucket: Directory, holder: str, ended: threading.Event, lost: Callable[[], None]) -> None:
    count = 0
    while not ended.wait(RENEW_S):
        if not _lease_text(bucket).startswith(holder):
            lost()
            return
        count += 1
        _write_lease(bucket, holder, count)

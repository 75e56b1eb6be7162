"""The bucket behind a desk: what a driver brings there and fetches from there, and how it holds a sweep there.

sweep.json goes there whole; of the journal, before Ray hears of it, what is new, as an object of its own that is named
after the byte at which it begins (journal/000000012345). Now and then these pieces are folded into one.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from analysis.read import optuna_study
from gensweep.errors import UserError
from gensweep.storage.workdir import bucket_url as _url
from trainables.filestore import Directory, open_directory

SYNCED_FILES = ("sweep.json", "final.json")
COMPACT_EVERY = 100  # pieces of a journal, before they become one
LEASE = ".driver"
RENEW_S = 10.0
EXPIRY_S = 3 * RENEW_S  # a driver that has not moved its lease for so long is gone

Say = Callable[[str], None]


def download_state(directory: Path) -> None:
    """Makes a desk what the bucket is; nothing where the directory is none.

    Raises:
        UserError: the bucket cannot be read, or holds something else there.
    """
    url = _url(directory)
    if url is None:
        return
    where = open_directory(url)
    try:
        top = where._replace(root=where.root.partition("/")[0])
        if not where.local and not top.is_folder():
            raise UserError(f"{url} cannot be read: there is no bucket {top.root!r}, or none for you")
        there = where.names("")
        found = {one: where.read(one) for one in SYNCED_FILES if one in there}
        found["study.journal"] = optuna_study.read_journal(where)
    except OSError as error:
        raise UserError(f"{url} cannot be read: {str(error).splitlines()[0]}") from error
    if there and "sweep.json" not in there:
        raise UserError(f"{url} is not empty and holds no sweep: choose another --name or --results")
    for one in (*SYNCED_FILES, "study.journal"):
        (directory / one).unlink(missing_ok=True)
        if found.get(one):
            (directory / one).write_bytes(found[one])


def upload_file(directory: Path, file: str) -> None:
    """Brings a file of a desk into the bucket; nothing where the directory is no desk."""
    url = _url(directory)
    if url is not None:
        open_directory(url).write(file, (directory / file).read_bytes())


def journal_uploader(directory: Path) -> Callable[[], None]:
    """What brings that which is new in a desk's journal into the bucket, each time it is called."""
    url = _url(directory)
    if url is None:
        return lambda: None
    where, path = open_directory(url), directory / "study.journal"
    sent, pieces = path.stat().st_size if path.exists() else 0, 0

    def push() -> None:
        nonlocal sent, pieces
        if not path.exists():
            return
        with path.open("rb") as file:
            file.seek(sent)
            new = file.read()
        if not new:
            return
        where.write(f"{optuna_study.JOURNAL_FOLDER}/{sent:012d}", new)
        sent, pieces = sent + len(new), pieces + 1
        if pieces % COMPACT_EVERY == 0:
            compact_journal(directory)

    return push


def compact_journal(directory: Path) -> None:
    """Writes a desk's journal to the bucket in one piece; nothing where the directory is no desk."""
    url, path = _url(directory), directory / "study.journal"
    if url is None or not path.exists():
        return
    where, content = open_directory(url), path.read_bytes()
    where.write(path.name, content)
    for piece in where.names(optuna_study.JOURNAL_FOLDER):
        if int(piece) < len(content):
            where.delete(f"{optuna_study.JOURNAL_FOLDER}/{piece}")


@contextmanager
def hold_lease(directory: Path, say: Say, lost: Callable[[], None]) -> Generator[None]:
    """Holds the sweep in the bucket for this driver: an object that changes every BEAT_S. Buckets have no locks: of two
    that begin in the same second the later writer wins, and the other sees that. `lost` is called where another driver
    has taken over, which held this one for dead.

    Raises:
        UserError: another driver holds it.
    """
    url = _url(directory)
    if url is None:
        yield
        return
    where, me = open_directory(url), (directory / LEASE).read_text(encoding="utf-8")
    _wait_for_dead_driver(where, say)
    _write_lease(where, me, 0)
    time.sleep(1.0)
    if not _lease_holder(where).startswith(me):
        raise UserError(f"another gensweep is running {url} ({_lease_holder(where)}): wait for it, or stop it")
    ended = threading.Event()
    thread = threading.Thread(target=_renew_lease_loop, args=(where, me, ended, lost), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        if _lease_holder(where).startswith(me):
            where.delete(LEASE)


def is_leased(directory: Path) -> bool:
    """Whether the bucket says that a driver is at work, here or elsewhere; one that died is believed in for DEAD_S."""
    url = _url(directory)
    if url is None:
        return False
    where = open_directory(url)
    moved = where.files.get_file_info(f"{where.root}/{LEASE}").mtime_ns
    return moved is not None and time.time() - moved / 1e9 < EXPIRY_S


def _wait_for_dead_driver(where: Directory, say: Say) -> None:
    seen, end = _lease_holder(where), time.monotonic() + EXPIRY_S
    if seen:
        say(f"waiting {EXPIRY_S:.0f} s, to see whether an earlier driver still lives ({seen.partition(', ')[0]})")
    while seen and time.monotonic() < end:
        time.sleep(1.0)
        now = _lease_holder(where)
        if now and now != seen:
            raise UserError(f"another gensweep is running {where.name} ({now}): wait for it, or stop it")
        seen = now


def _lease_holder(where: Directory) -> str:
    try:
        return where.read(LEASE).decode()
    except FileNotFoundError:
        return ""


def _write_lease(where: Directory, me: str, count: int) -> None:
    where.write(LEASE, f"{me}, beat {count}".encode())


def _renew_lease_loop(where: Directory, me: str, ended: threading.Event, lost: Callable[[], None]) -> None:
    count = 0
    while not ended.wait(RENEW_S):
        if not _lease_holder(where).startswith(me):
            lost()
            return
        count += 1
        _write_lease(where, me, count)

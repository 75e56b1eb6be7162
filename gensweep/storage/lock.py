"""Locks that keep a second driver, and the workers of a dead driver, away from a sweep.

They are kernel locks on files in the sweep's directory, so they are released when their process ends for any reason.
The driver holds an exclusive lock on `.driver`; every running trial holds a shared lock on `.workers`. Ray's workers
outlive a killed driver by two or three seconds, so a new driver first waits until all shared locks are released.
"""

import _thread
import fcntl
import os
import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from gensweep.errors import UserError
from gensweep.storage import workdir

WAIT_S = 30.0  # for the workers of a dead driver to end; measured: 2.0 to 2.7 s
POLL_S = 0.1


@contextmanager
def driver_lock(
    directory: Path, say: Callable[[str], None], lost: Callable[[], None] = _thread.interrupt_main
) -> Generator[None]:
    """Hold the lock of the driver, and the lease of the sweep if its results are in a bucket.

    `lost` is called if a driver on another machine takes over the lease.

    Raises:
        UserError: another driver is running the sweep, or workers of a dead one do not end.
    """
    with (directory / ".driver").open("a+") as file:
        if not _try_lock(file.fileno(), fcntl.LOCK_EX):
            raise UserError(_busy_message(directory))
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        (directory / ".asked").unlink(missing_ok=True)
        _wait_for_workers(directory, say)
        from gensweep.storage import bucket_sync  # lazy: workers import this file, and need no bucket

        with bucket_sync.hold_lease(directory, say, lost):
            yield


def refuse_if_running(directory: Path) -> None:
    """Raise UserError if another process is running this sweep. Called before anything expensive is loaded."""
    if is_driven(directory):
        raise UserError(_busy_message(directory))


def _busy_message(directory: Path) -> str:
    holder = (directory / ".driver").read_text(encoding="utf-8").strip()
    return f"another gensweep is running {workdir.display_name(directory)} ({holder}): wait for it, or stop it"


@contextmanager
def worker_lock(directory: Path) -> Generator[None]:
    """Hold the shared lock of a running trial."""
    with (directory / ".workers").open("a+") as file:  # NFS grants a shared lock only if the file is open for reading
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def is_driven(directory: Path) -> bool:
    """Return whether a driver is running the sweep now."""
    path = directory / ".driver"
    if not path.exists():
        return False
    with path.open() as file:
        return not _try_lock(file.fileno(), fcntl.LOCK_SH)


def send_request(directory: Path, word: str) -> None:
    """Ask the driver of the sweep to `stop` (after its running trials have ended) or to `cancel` (immediately).

    Raises:
        UserError: no driver is running the sweep on this machine.
    """
    if not is_driven(directory):
        from gensweep.storage import bucket_sync

        name = workdir.display_name(directory)
        if bucket_sync.is_leased(directory):
            raise UserError(
                f"no driver is running {name} on this machine: if another machine runs it, type `gensweep {word}` there"
            )
        raise UserError(f"no driver is running {name}: there is nothing to {word}")
    (directory / ".asked").write_text(word, encoding="utf-8")


def pending_request(directory: Path) -> str:
    """Return what the driver was asked to do since it started: `stop`, `cancel` or an empty text."""
    try:
        return (directory / ".asked").read_text(encoding="utf-8")
    except OSError:
        return ""


def _wait_for_workers(directory: Path, say: Callable[[str], None]) -> None:
    end = time.monotonic() + WAIT_S
    with (directory / ".workers").open("a") as file:
        announced = False
        while not _try_lock(file.fileno(), fcntl.LOCK_EX):
            if not announced:
                say("waiting for the workers of a driver that died ...")
                announced = True
            if time.monotonic() > end:
                raise UserError(
                    f"workers of an earlier driver still write to {directory}: end these processes, then resume"
                )
            time.sleep(POLL_S)


def _try_lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""One driver a sweep, and no worker of a dead driver beside it.

Both are kernel locks on files in the sweep's directory, so that they end with their process, however it ends. The
driver holds `.driver` alone; every running trial holds a share of `.workers`. Ray's workers outlive a killed driver by
two or three seconds, so a new driver first waits until nobody holds a share.
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

WAIT_S = 30.0  # for the workers of a dead driver; seen: 2.0 to 2.7 s
POLL_S = 0.1


@contextmanager
def driver_lock(
    directory: Path, say: Callable[[str], None], lost: Callable[[], None] = _thread.interrupt_main
) -> Generator[None]:
    """Holds the sweep for this process, also in its bucket, where it is in one; `lost` is called where the driver of
    another machine has taken it from there.

    Raises:
        UserError: another driver holds it, or workers of a dead one do not end.
    """
    with (directory / ".driver").open("a+") as file:
        if not _try_lock(file.fileno(), fcntl.LOCK_EX):
            raise UserError(_busy_message(directory))
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        (directory / ".asked").unlink(missing_ok=True)
        _wait_for_workers(directory, say)
        from gensweep.storage import bucket_sync  # workers take their locks from here, and need nothing of this

        with bucket_sync.hold_lease(directory, say, lost):
            yield


def refuse_if_running(directory: Path) -> None:
    """Whether nobody runs the sweep, asked before anything is loaded or started.

    Raises:
        UserError: another driver holds it.
    """
    if is_driven(directory):
        raise UserError(_busy_message(directory))


def _busy_message(directory: Path) -> str:
    holder = (directory / ".driver").read_text(encoding="utf-8").strip()
    return f"another gensweep is running {workdir.display_name(directory)} ({holder}): wait for it, or stop it"


@contextmanager
def worker_lock(directory: Path) -> Generator[None]:
    """Holds a share of the sweep for a running trial."""
    with (directory / ".workers").open("a+") as file:  # NFS gives a shared lock only on a file open for reading
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def is_driven(directory: Path) -> bool:
    """Whether a driver holds the sweep at this moment."""
    path = directory / ".driver"
    if not path.exists():
        return False
    with path.open() as file:
        return not _try_lock(file.fileno(), fcntl.LOCK_SH)


def send_request(directory: Path, word: str) -> None:
    """Asks the driver of the sweep to `stop` (once its running trials have ended) or to `cancel` (now).

    Raises:
        UserError: nobody is running it.
    """
    if not is_driven(directory):
        from gensweep.storage import bucket_sync

        elsewhere = " on this machine: ask where it runs" if bucket_sync.is_leased(directory) else ""
        raise UserError(
            f"no driver is running {workdir.display_name(directory)}{elsewhere}: there is nothing to {word}"
        )
    (directory / ".asked").write_text(word, encoding="utf-8")


def pending_request(directory: Path) -> str:
    """What the driver was asked since it began: `stop`, `cancel` or nothing."""
    try:
        return (directory / ".asked").read_text(encoding="utf-8")
    except OSError:
        return ""


def _wait_for_workers(directory: Path, say: Callable[[str], None]) -> None:
    end = time.monotonic() + WAIT_S
    with (directory / ".workers").open("a") as file:
        told = False
        while not _try_lock(file.fileno(), fcntl.LOCK_EX):
            if not told:
                say("waiting for the workers of a driver that died ...")
                told = True
            if time.monotonic() > end:
                raise UserError(f"workers of an earlier driver still write to {directory}: end them, then resume")
            time.sleep(POLL_S)


def _try_lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

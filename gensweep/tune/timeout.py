"""The end of a trial that takes too long, or hangs.

Python's own watchdog (faulthandler) runs in a thread that needs no interpreter lock, so that it also ends a process
that hangs inside a library; the stack it leaves says where. The worker is lost with it: the attempt that follows finds
the stack in the trial's folder, trains nothing, and says `timeout`.
"""

import faulthandler
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

STACK_FILE = "timeout.txt"  # in the trial's folder: where it was when its time was up


def _stack(directory: Path, number: int) -> Path:
    return directory / "trials" / f"{number:04d}" / STACK_FILE


@contextmanager
def time_limit(directory: Path, number: int, timeout_s: float | None) -> Generator[None]:
    """Ends this process where the body takes longer than `timeout_s` seconds."""
    if timeout_s is None:
        yield
        return
    path = _stack(directory, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        faulthandler.dump_traceback_later(timeout_s, exit=True, file=file)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            path.unlink()


def timed_out(directory: Path, number: int) -> bool:
    """Whether an attempt of the trial was ended for its time."""
    path = _stack(directory, number)
    return path.exists() and path.stat().st_size > 0

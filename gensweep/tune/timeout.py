"""End a trial that takes too long or hangs.

Python's own watchdog (faulthandler) runs in a thread that needs no interpreter lock, so it also ends a process that
hangs inside a library. The stack that it writes shows where. The worker dies with it: the next attempt sees the stack
in the trial's folder, trains nothing and reports `timeout`.
"""

import faulthandler
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

STACK_FILE = "timeout.txt"  # in the trial's folder: the stack when its time was up


def _stack(directory: Path, number: int) -> Path:
    return directory / "trials" / f"{number:04d}" / STACK_FILE


@contextmanager
def time_limit(directory: Path, number: int, timeout_s: float | None) -> Generator[None]:
    """End this process if the body takes longer than `timeout_s` seconds."""
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
    """Return whether an attempt of the trial was ended by its time limit."""
    path = _stack(directory, number)
    return path.exists() and path.stat().st_size > 0

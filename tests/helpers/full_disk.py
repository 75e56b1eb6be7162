"""Fills a file system."""

import os
from contextlib import suppress
from pathlib import Path


def fill(place: Path, leaving: int = 0) -> Path:
    """Fills the file system but for some bytes; what it is filled with."""
    ballast = place / "ballast"
    free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
    with suppress(OSError):  # a trial may write at the same time: then there is less room than was counted
        ballast.write_bytes(bytes(max(0, free - leaving)))
    return ballast

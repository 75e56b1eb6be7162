"""Write a JSON file atomically, and recognise the errors of a full disk."""

import errno
import json
from pathlib import Path
from typing import Any

from trainables.filestore import replace_local_file

FULL_DISK_ERRNOS = (errno.ENOSPC, errno.EDQUOT)
FULL_DISK_MESSAGES = (
    "No space left on device",  # PostgreSQL
    "disk is full",  # SQLite
    "disk I/O error",  # SQLite, for the index of its write-ahead log
)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace a file in one step, so that a killed process leaves either the old file or the new one."""
    replace_local_file(path, (json.dumps(value, indent=1) + "\n").encode())


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether a full disk or an exhausted quota caused an error.

    Such an error is not the fault of a trial, so the sweep pauses.
    """
    while error is not None:
        if (isinstance(error, OSError) and error.errno in FULL_DISK_ERRNOS) or any(
            words in str(error) for words in FULL_DISK_MESSAGES
        ):
            return True
        error = error.__cause__ or error.__context__
    return False

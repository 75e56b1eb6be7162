"""What the door leaves on the disk, whole or not at all; and how a full disk shows in a trial and in the study."""

import errno
import json
from pathlib import Path
from typing import Any

from trainables.filestore import replace_local_file

FULL_DISK_ERRNOS = (errno.ENOSPC, errno.EDQUOT)
FULL_DISK_MESSAGES = (
    "No space left on device",
    "disk is full",
    "disk I/O error",
)  # PostgreSQL; SQLite, and its log's index


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replaces a file in one move, so that a kill leaves the old one or the new one."""
    replace_local_file(path, (json.dumps(value, indent=1) + "\n").encode())


def is_disk_full(error: BaseException | None) -> bool:
    """Whether a full disk, or a quota that is used up, is behind an error: no trial's fault, so the sweep pauses."""
    while error is not None:
        if (isinstance(error, OSError) and error.errno in FULL_DISK_ERRNOS) or any(
            words in str(error) for words in FULL_DISK_MESSAGES
        ):
            return True
        error = error.__cause__ or error.__context__
    return False

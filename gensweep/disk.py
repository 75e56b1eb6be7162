"""A disk that is full, as it shows in a trial and in the study: no fault of any trial, so the sweep pauses."""

import errno

FULL = (errno.ENOSPC, errno.EDQUOT)
SAID = ("No space left on device", "disk is full", "disk I/O error")  # PostgreSQL; SQLite, and its log's index


def is_full(error: BaseException | None) -> bool:
    """Whether a full disk, or a quota that is used up, is behind an error."""
    while error is not None:
        if (isinstance(error, OSError) and error.errno in FULL) or any(words in str(error) for words in SAID):
            return True
        error = error.__cause__ or error.__context__
    return False

"""A user's mistake, and the text that names the nearest known word."""

import difflib
from collections.abc import Iterable


class BadUsage(ValueError):  # noqa: N818  the message is the point, not the class
    """A user's mistake at the door: one line that says what is wrong and what would be right."""


def nearest(what: str, word: str, known: Iterable[str]) -> str:
    """One line that names an unknown word and the nearest known one."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1)
    hint = f": did you mean {close[0]!r}?" if close else ":"
    return f"unknown {what} {word!r}{hint} (known: {', '.join(names)})"

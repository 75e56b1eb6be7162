"""A user's mistake, as an exception whose message is one line: what is wrong, where, and what would be right.
The door prints the line and exits with code 2; whatever else is raised is a fault of ours and keeps its traceback."""

import difflib
from collections.abc import Iterable


class BadInput(ValueError):  # noqa: N818  (a name for the user's side of the story, not for ours)
    """Something that the user gave cannot be used; `str(error)` is one line."""


def unknown(kind: str, name: str, known: Iterable[str]) -> BadInput:
    """The error for a name in no registry, with the nearest right one: `unknown("data set", "mnits", DATASETS)`."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f": did you mean {near[0]!r}?" if near else ""
    return BadInput(f"unknown {kind} {name!r}{hint} (known: {', '.join(names)})")

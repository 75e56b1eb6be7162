"""The exception for a user's mistake, and the line that names the nearest known word.

Imports nothing but the standard library, so every package may import it, search_spaces included.
"""

import difflib
from collections.abc import Iterable

BAD_INPUT = 2  # exit code of the command line if the user has to change something


class UserError(ValueError):
    """A mistake of the user. `str(error)` is one line: what is wrong, where, and what would be right.

    The command line prints that line and ends with `exit_code`. Any other exception is a fault of ours and keeps its
    traceback.
    """

    exit_code = BAD_INPUT

    @property
    def lines(self) -> list[str]:
        """The lines for a terminal: one, but for several faults of one file."""
        return [" ".join(str(self).split())]


def did_you_mean(kind: str, name: str, known: Iterable[str]) -> str:
    """Return one line about an unknown name, with the nearest known one if there is one, upper case or not.

    >>> did_you_mean("data set", "mnits", ["mnist", "digits"])
    "unknown data set 'mnits': did you mean 'mnist'? (known: mnist, digits)"
    """
    names = list(known)
    by_lower_case = {known_name.lower(): known_name for known_name in reversed(names)}
    close = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
    hint = f": did you mean {by_lower_case[close[0]]!r}?" if close else ""
    return f"unknown {kind} {name!r}{hint} (known: {', '.join(names)})"


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Return the error for a name in no registry: `raise unknown("data set", "mnits", DATASETS)`."""
    return UserError(did_you_mean(kind, name, known))

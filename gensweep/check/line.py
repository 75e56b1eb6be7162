"""One line of a check."""

from typing import Literal, NamedTuple

Mark = Literal["x", "!", " "]  # a fault that spoils a sweep, a warning, a fact


class Line(NamedTuple):
    """What a check has to say. `at` is `my_model.py:12`, or empty."""

    mark: Mark
    text: str
    at: str = ""

    def __str__(self) -> str:
        return f"{self.mark} {self.at}{': ' if self.at else ''}{self.text}"


def fault(text: str, at: str = "") -> Line:
    """Return a line about a fault that spoils a sweep."""
    return Line("x", text, at)


def warning(text: str, at: str = "") -> Line:
    """Return a line about what a user may not want."""
    return Line("!", text, at)

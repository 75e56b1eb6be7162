"""One line of a check."""

from typing import Literal, NamedTuple

Mark = Literal["x", "!", " "]  # a fault that spoils a sweep, a warning, a fact


class Line(NamedTuple):
    """What a check has to say. `place` is `my_model.py:12`, or empty."""

    mark: Mark
    text: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.mark} {self.place}{': ' if self.place else ''}{self.text}"


def fault(text: str, place: str = "") -> Line:
    """Return a line about a fault that spoils a sweep."""
    return Line("x", text, place)


def warning(text: str, place: str = "") -> Line:
    """Return a line about what a user may not want."""
    return Line("!", text, place)

"""Values that note when somebody looks at them.

A suggested value that is only handed on cannot change what a space does next. A value that is compared, converted or
computed with can, so the walk of a space (walk.py) tries its other values as well.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

Note = Callable[[Any], None]  # takes what the value was compared with, or None


class Watched:
    """Stands for a str, int or float. Every use but passing it on is noted; a comparison notes the other side too."""

    __slots__ = ("_note", "_value")

    def __init__(self, value: Any, note: Note) -> None:
        self._value, self._note = value, note

    @property
    def __class__(self) -> type:  # isinstance sees the type of the value
        return type(self._value)

    @__class__.setter
    def __class__(self, other: type) -> None:
        raise TypeError("the class of a watched value cannot be set")

    def __getattr__(self, name: str) -> Any:
        self._note(None)
        return getattr(self._value, name)


def plain(value: Any) -> Any:
    """Return the value itself, without noting that."""
    return value._value if type(value) is Watched else value


def derived(value: Any, function: Callable[[Any], Any]) -> Any:
    """Return function(value) as a value that is watched like the first."""
    return Watched(function(value._value), value._note) if type(value) is Watched else function(value)


def _operation(function: Callable[..., Any], compares: bool) -> Callable[..., Any]:
    def method(self: Watched, *others: Any) -> Any:
        self._note(plain(others[0]) if compares else None)
        for other in others:
            if type(other) is Watched:
                other._note(self._value if compares else None)
        return function(self._value, *map(plain, others))

    return method


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Watched, other: Any) -> Any:
        self._note(None)
        return function(plain(other), self._value)

    return method


_COMPARISONS = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)
_BINARY = (
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow),
    *(operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift, divmod),
)
_OTHERS: dict[str, Callable[..., Any]] = {
    **{f"__{function.__name__}__": function for function in (operator.neg, operator.pos, abs, operator.invert)},
    **{f"__{function.__name__}__": function for function in (int, float, str, bool, repr, hash, len, iter, round)},
    "__index__": operator.index,
    "__trunc__": math.trunc,
    "__floor__": math.floor,
    "__ceil__": math.ceil,
    "__format__": format,
    "__getitem__": operator.getitem,
    "__contains__": operator.contains,
}
for _function in _COMPARISONS:
    setattr(Watched, f"__{_function.__name__}__", _operation(_function, compares=True))
for _function in _BINARY:
    _name = _function.__name__.rstrip("_")
    setattr(Watched, f"__{_name}__", _operation(_function, compares=False))
    setattr(Watched, f"__r{_name}__", _reflected(_function))
for _name, _function in _OTHERS.items():
    setattr(Watched, _name, _operation(_function, compares=False))

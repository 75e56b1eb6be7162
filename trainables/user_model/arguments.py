"""Check before a call that a function of a user's own takes the arguments that it will get."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from trainables.errors import UserError


def takes(function: Callable[..., Any], n: int) -> bool:
    """Return whether a function can be called with n arguments; true if Python does not know."""
    try:
        inspect.signature(function).bind(*[None] * n)
    except TypeError:
        return False
    except ValueError:  # a function written in C
        return True
    return True


def check_arguments(name: str, function: Any, arguments: Sequence[str]) -> None:
    """Raise UserError unless `function`, which the user knows as `name`, can be called with these arguments."""
    if not callable(function):
        raise UserError(f"{name} is a {type(function).__name__}: a function ({', '.join(arguments)}) is needed")
    if not takes(function, len(arguments)):
        signature = inspect.signature(function)
        n = len(signature.parameters)
        raise UserError(
            f"{name}{signature} takes {n} argument{'s' * (n != 1)}: ({', '.join(arguments)}) "
            f"{'are' if len(arguments) > 1 else 'is'} given"
        )

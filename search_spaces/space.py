"""What the spaces share: the type of a space, and `fixed`, by which a space names a key that it does not vary.

A space takes a trial (Optuna's, or anything with its `suggest_` methods) and returns every key that the trainable
reads. Keys are grouped as in the tuning playbook (Godbole et al. 2023): *scientific*, what the question is about;
*nuisance*, searched so that the comparison is fair; *fixed*, held.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

Config = dict[str, Any]
Objective = tuple[str, Literal["min", "max"]]  # metric, mode
Role = Literal["scientific", "nuisance", "fixed"]


class Trial(Protocol):
    """The part of an Optuna trial that a space uses."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float: ...
    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int: ...
    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


class Space(NamedTuple):
    """A search space with what belongs to it.

    ``space(trial)`` returns the configuration; ``objective`` is the metric and "min" or "max"; ``defaults`` are
    always trial 0; ``roles`` says why each key is there; ``steps`` has a step for each key that
    takes multiples of one only.
    """

    space: Callable[[Trial], Config]
    objective: Objective
    defaults: Config
    roles: dict[str, Role]
    steps: Mapping[str, float] = {}


def fixed(trial: Trial, name: str, value: Any) -> Any:
    """Return ``value``, unless the user set this key to something else or to a range (see override.py)."""
    chosen = getattr(trial, "fixed", None)
    return value if chosen is None else chosen(name, value)

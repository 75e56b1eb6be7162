"""One key of a space: what a trial may suggest for it, or the value that it is fixed at.

`sweep.json` holds a Param as a small mapping, `{"kind": "float", "low": 0.0001, "high": 0.01, "log": true}`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Kind = Literal["float", "int", "categorical", "fixed"]


@dataclass(frozen=True)
class Param:
    """A range of numbers (`low`, `high`, `log`, `step`), a list of `choices`, or one fixed `value`.

    On a logarithmic scale Optuna has no steps; there `step` says that configurations hold multiples of it.
    It is not a tuple, so that JSON refuses it: `to_json` is the one form on disk.
    """

    kind: Kind
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    choices: tuple[Any, ...] = ()
    value: Any = None

    @property
    def searched(self) -> bool:
        return self.kind != "fixed"

    @property
    def is_range(self) -> bool:
        return self.kind in ("float", "int")

    def text(self) -> str:
        """Return `0.001 to 0.1 in steps of 0.001 (log)`, `64, 128`, or the fixed value."""
        if self.kind == "fixed":
            return str(self.value)
        if self.kind == "categorical":
            return ", ".join(map(str, self.choices))
        step = "" if self.step is None else f" in steps of {self.step:g}"
        return f"{self.low:g} to {self.high:g}{step}{' (log)' if self.log else ''}"

    def contains(self, value: Any) -> bool:
        """Return whether a trial may have this value, steps aside."""
        if self.is_range:
            return is_number(value) and self.low <= value <= self.high
        return bool(value in self.choices if self.kind == "categorical" else value == self.value)

    def position(self, value: Any) -> float:
        """Return where a value lies between the ends, 0..1 on the scale of the range; nan if it is missing."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return math.nan
        if self.kind == "categorical":
            return [str(choice) for choice in self.choices].index(str(value)) / max(1, len(self.choices) - 1)
        if self.kind == "fixed" or self.high <= self.low:
            return 0.5
        scale = math.log if self.log else float
        return (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))

    def ends(self) -> tuple[Any, ...]:
        """Return the values that must be valid if all are: every choice, both ends of a range, the fixed value."""
        if self.is_range:
            return (self.low, self.high)
        return self.choices if self.kind == "categorical" else (self.value,)

    def largest(self) -> int:
        """Return the largest whole number that the key may have."""
        return int(max(self.ends()))

    def to_optuna(self) -> "BaseDistribution":
        """Return the distribution that Optuna draws from. A fixed key has none."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.kind == "categorical":
            return CategoricalDistribution(self.choices)
        step = None if self.log else self.step
        if self.kind == "int":
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(step or 1))
        if self.kind == "float":
            return FloatDistribution(self.low, self.high, log=self.log, step=step)
        raise ValueError("a fixed key has no distribution")

    def joined(self, other: "Param") -> "Param":
        """Return what covers this key in two branches of a space: ranges and lists are united, and a fixed value yields
        to what is searched. Of two fixed values, or of a range and a list, the first stands."""
        if self.kind == "fixed" or other.kind == "fixed" or self.kind != other.kind:
            return other if self.kind == "fixed" and other.searched else self
        if self.kind == "categorical":
            return replace(self, choices=tuple(dict.fromkeys((*self.choices, *other.choices))))
        return replace(self, low=min(self.low, other.low), high=max(self.high, other.high))

    def to_json(self) -> dict[str, Any]:
        """Return the mapping that sweep.json holds."""
        if self.kind == "fixed":
            return {"kind": self.kind, "value": self.value}
        if self.kind == "categorical":
            return {"kind": self.kind, "choices": list(self.choices)}
        ends = {"kind": self.kind, "low": self.low, "high": self.high, "log": self.log}
        return ends if self.step is None else {**ends, "step": self.step}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "Param":
        """Return the Param of one entry of `space` in sweep.json."""
        return cls(**{**entry, **({"choices": tuple(entry["choices"])} if "choices" in entry else {})})


def is_number(value: Any) -> TypeGuard[int | float]:
    """Return whether a value is a number. True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)

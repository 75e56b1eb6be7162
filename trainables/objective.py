"""What a sweep asks of a trial: one objective or several, and the limits that its winner has to keep.

One evaluated epoch stands for a trial, so that all its numbers belong to one and the same net: the best by the
*primary* objective among the epochs that count and keep every constraint; where none keeps them, among all that count,
and the trial is infeasible. An epoch counts where it was evaluated, on samples that are not collapsed, and every number
that the goal is about is finite. The primary objective alone decides what needs one number: that choice, and whom the
scheduler stops.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from trainables.errors import UserError

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

MODES = ("min", "max")
Values = dict[str, float]  # by key: what the goal is about, at one epoch


class Objective(NamedTuple):
    metric: str
    mode: str  # min or max

    def loss(self, values: Mapping[str, float]) -> float:
        """Its value, turned so that lower is better."""
        return values[self.metric] if self.mode == "min" else -values[self.metric]


class Constraint(NamedTuple):
    """A limit on one key. `str` of it is how a user writes it: `modes>=7`."""

    key: str
    sense: str  # ">=" or "<="
    bound: float

    def __str__(self) -> str:
        return f"{self.key}{self.sense}{self.bound:.12g}"

    def excess(self, values: Mapping[str, float]) -> float:
        """How far the value lies beyond the bound, in its own unit; 0 or less where the constraint is kept."""
        past = self.bound - values[self.key]
        return past if self.sense == ">=" else -past


class Goal(NamedTuple):
    """`primary` is one of `objectives`, which are in the order that the user gave."""

    primary: Objective
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()

    @property
    def keys(self) -> list[str]:
        """Every key that it is about, the primary objective's first."""
        named = [self.primary.metric, *(one.metric for one in self.objectives), *(one.key for one in self.constraints)]
        return list(dict.fromkeys(named))

    def values(self, row: Mapping[str, Any]) -> Values:
        """Those of its keys that the row holds a finite number for."""
        return {key: float(row[key]) for key in self.keys if finite(row.get(key))}

    def counts(self, values: Values) -> bool:
        """Whether no number is missing."""
        return values.keys() >= set(self.keys)

    def keeps(self, values: Values) -> bool:
        """Whether every constraint is kept."""
        return all(one.excess(values) <= 0 for one in self.constraints)

    def order(self, values: Values) -> tuple[bool, float]:
        """What is to be small: epochs, and trials of one objective, rank by it."""
        return not self.keeps(values), self.primary.loss(values)

    def best(self, seen: Mapping[int, Values]) -> int | None:
        """The epoch that stands for a trial, of what was seen by epoch; the first one of equals."""
        counted = {epoch: values for epoch, values in seen.items() if self.counts(values)}
        return min(counted, key=lambda epoch: (self.order(counted[epoch]), epoch), default=None)

    def mark(self, row: dict[str, Any], values: Values | None, epoch: int) -> None:
        """Writes the best so far into a row: `best` and `best_epoch`, and `best_KEY` for any further key."""
        primary, *others = self.keys
        found = values or {}
        row["best"], row["best_epoch"] = found.get(primary, math.nan), epoch
        row.update({f"best_{key}": found.get(key, math.nan) for key in others})

    def marked(self, row: Mapping[str, Any]) -> Values | None:
        """What `mark` wrote; None where nothing has counted yet."""
        primary, *others = self.keys
        found = {primary: row["best"], **{key: row[f"best_{key}"] for key in others}}
        return found if all(map(finite, found.values())) else None


def finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def is_valid_evaluation(row: Mapping[str, Any], metric: str) -> bool:
    """Whether the row carries a value measured at its own epoch on samples that are not collapsed."""
    fresh = row["status"] == "ok" and row["eval_epoch"] == row["epoch"]
    return bool(fresh and not row.get("narrow") and finite(row.get(metric)))


def constraint(text: str) -> Constraint:
    """`modes>=7` or `duplicates<=0.5`; UserError for anything else."""
    found = re.fullmatch(r"\s*(\w+)\s*([<>]=)\s*(\S+)\s*", text)
    try:
        bound = float(found[3]) if found else math.nan
    except ValueError:
        bound = math.nan
    if found is None or not math.isfinite(bound):
        raise UserError(f'constraint {text!r}: write "key>=number" or "key<=number", in quotes')
    return Constraint(found[1], found[2], bound)


VALUES_ATTR = (
    "seen"  # the user attribute that holds {epoch: {key: value}} if a sweep's goal is about more than one number
)


def values_by_epoch(trial: FrozenTrial, metric: str) -> dict[int, Values]:
    """Return what the goal is about, by evaluated epoch. `metric` is the primary objective; only it may have
    intermediate values."""
    if VALUES_ATTR in trial.user_attrs:
        return {int(epoch): dict(values) for epoch, values in trial.user_attrs[VALUES_ATTR].items()}
    return {epoch: {metric: value} for epoch, value in trial.intermediate_values.items() if math.isfinite(value)}

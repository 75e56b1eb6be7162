"""The goal of a sweep: one or several objectives, and the constraints that a winner must meet.

Each trial is represented by one evaluated epoch, so that all its numbers belong to the same net. An epoch counts if its
samples are not collapsed and every number that the goal needs is finite. Of the epochs that count and meet every
constraint, the one with the best value of the *primary* objective is taken. If no epoch meets the constraints, the best
of all that count is taken, and the trial is infeasible. The primary objective also decides which trials the scheduler
stops.
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
Values = dict[str, float]  # by key: the numbers that the goal needs, of one epoch


class Objective(NamedTuple):
    """A metric to minimise or maximise."""

    metric: str
    mode: str  # min or max

    def loss(self, values: Mapping[str, float]) -> float:
        """Return the metric's value with the sign that makes lower better."""
        return values[self.metric] if self.mode == "min" else -values[self.metric]


class Constraint(NamedTuple):
    """A limit on one metric key. Its `str` is what a user writes: `modes>=7`."""

    key: str
    sense: str  # ">=" or "<="
    bound: float

    def __str__(self) -> str:
        return f"{self.key}{self.sense}{self.bound:.12g}"

    def excess(self, values: Mapping[str, float]) -> float:
        """Return how far the value lies beyond the bound, in its own unit; 0 or less if the constraint is met."""
        past = self.bound - values[self.key]
        return past if self.sense == ">=" else -past


class Goal(NamedTuple):
    """The objectives in the order that the user gave, which of them is primary, and the constraints."""

    primary: Objective
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The metric keys of all objectives and constraints, each once, the primary objective's first."""
        metrics = (objective.metric for objective in self.objectives)
        limited = (constraint.key for constraint in self.constraints)
        return list(dict.fromkeys([self.primary.metric, *metrics, *limited]))

    def values(self, row: Mapping[str, Any]) -> Values:
        """Return the finite numbers of a row, by key, for the goal's keys."""
        return {key: float(row[key]) for key in self.keys if finite(row.get(key))}

    def counts(self, values: Values) -> bool:
        """Return whether the values hold every key of the goal."""
        return values.keys() >= set(self.keys)

    def keeps(self, values: Values) -> bool:
        """Return whether the values meet every constraint."""
        return all(constraint.excess(values) <= 0 for constraint in self.constraints)

    def order(self, values: Values) -> tuple[bool, float]:
        """Return the sort key of an epoch, or of a trial if there is one objective: lower is better."""
        return not self.keeps(values), self.primary.loss(values)

    def best(self, by_epoch: Mapping[int, Values]) -> int | None:
        """Return the epoch that represents a trial, the first of equal ones; None if no epoch counts."""
        counted = {epoch: values for epoch, values in by_epoch.items() if self.counts(values)}
        return min(counted, key=lambda epoch: (self.order(counted[epoch]), epoch), default=None)

    def mark(self, row: dict[str, Any], values: Values | None, epoch: int) -> None:
        """Write the best values so far into a row: `best`, `best_epoch`, and `best_KEY` for each further key."""
        primary, *others = self.keys
        best = values or {}
        row["best"], row["best_epoch"] = best.get(primary, math.nan), epoch
        row.update({f"best_{key}": best.get(key, math.nan) for key in others})

    def marked(self, row: Mapping[str, Any]) -> Values | None:
        """Return the values that `mark` wrote into a row; None if no epoch has counted yet."""
        primary, *others = self.keys
        best = {primary: row["best"], **{key: row[f"best_{key}"] for key in others}}
        return best if all(map(finite, best.values())) else None


def finite(value: Any) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def is_valid_evaluation(row: Mapping[str, Any], metric: str) -> bool:
    """Return whether the row holds a finite `metric`, measured at its own epoch, on samples that are not collapsed."""
    fresh = row["status"] == "ok" and row["eval_epoch"] == row["epoch"]
    return bool(fresh and not row.get("narrow") and finite(row.get(metric)))


def constraint(text: str) -> Constraint:
    """Parse `modes>=7` or `duplicates<=0.5`; raise UserError for anything else."""
    match = re.fullmatch(r"\s*(\w+)\s*([<>]=)\s*(\S+)\s*", text)
    try:
        bound = float(match[3]) if match else math.nan
    except ValueError:
        bound = math.nan
    if match is None or not math.isfinite(bound):
        raise UserError(f'constraint {text!r}: write "key>=number" or "key<=number", in quotes')
    return Constraint(match[1], match[2], bound)


# The user attribute that holds {epoch: {key: value}} if the goal of a sweep has more than one key.
VALUES_ATTR = "seen"


def values_by_epoch(trial: FrozenTrial, metric: str) -> dict[int, Values]:
    """Return the numbers that the goal needs, by evaluated epoch.

    `metric` is the primary objective. If it is the only key of the goal, the study holds its values as intermediate
    values of the trial, else all values as a user attribute.
    """
    if VALUES_ATTR in trial.user_attrs:
        return {int(epoch): dict(values) for epoch, values in trial.user_attrs[VALUES_ATTR].items()}
    return {epoch: {metric: value} for epoch, value in trial.intermediate_values.items() if math.isfinite(value)}

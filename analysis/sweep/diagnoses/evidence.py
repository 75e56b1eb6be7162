"""What a diagnosis reads, its rows and its configuration, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Row = Mapping[str, Any]
Change = dict[str, Any]  # keys of a configuration with new values, to be set together


class Evidence(NamedTuple):
    """One trial: its configuration, its rows in order of epoch, and the row that it is scored by.

    `best` is None if the trial has no valid evaluation. `classes` are the names of the data's classes.
    """

    model: str
    config: Mapping[str, Any]
    rows: Sequence[Row]
    best: Row | None
    classes: Sequence[str]

    @property
    def evaluations(self) -> list[Row]:
        """Return the rows of the epochs that were evaluated."""
        return [row for row in self.rows if row.get("eval_epoch") == row["epoch"]]

    @property
    def scored(self) -> Row:
        """Return the row that the trial is scored by; if there is none, its last evaluation, or else an empty row."""
        return self.best if self.best is not None else (self.evaluations or [{}])[-1]

    def last(self, n: int, *keys: str) -> list[Row]:
        """Return the last n evaluations; none if there are fewer, or if one lacks a key."""
        rows = self.evaluations[-n:]
        return rows if len(rows) == n and all(is_number(row.get(key)) for row in rows for key in keys) else []

    def path(self, row: Row) -> float | None:
        """Return the generator's updates at a row times its rate; None if the model is not a GAN.

        Adam moves a weight by about its rate an update. A rate that falls to 0 at the end counts for its mean.
        """
        if "updates_g" not in row or "lr_g" not in self.config:
            return None
        mean_rate = self.config["lr_g"] * (1 - self.config.get("lr_decay", 0.0) / 2)
        return float(row["updates_g"] * mean_rate)


class Sign(NamedTuple):
    """What a diagnosis measured on a trial: the number, whether it shows the fault, and the number in words."""

    value: float
    is_fault: bool
    text: str


class Diagnosis(NamedTuple):
    """A fault that rows can show. `look` returns None if they lack what is needed. `changes` are alternatives."""

    title: str
    look: Callable[[Evidence], Sign | None]
    meaning: str
    changes: Callable[[Evidence], list[Change]]


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and abs(value) < float("inf")


def rate(value: float) -> float:
    """Return a rate with three digits, as it is to be typed."""
    return float(f"{value:.3g}")


def pick(evidence: Evidence, *changes: Change) -> list[Change]:
    """Return the changes whose keys the trial reads, and which change at least one value."""
    config = evidence.config
    return [
        {key: value for key, value in change.items() if config[key] != value}
        for change in changes
        if change.keys() <= config.keys() and any(config[key] != value for key, value in change.items())
    ]

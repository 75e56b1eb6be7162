"""List everything that was measured on a trial: each number of METRICS in its rows, at its best epoch.

A number that is measured only at the last evaluation is taken from the last row, and is shown with its epoch. The keys,
their names and which direction is better are defined in METRICS alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from analysis.base.formatting import BETTER, format_value
from analysis.read import results
from analysis.read.results import Sweep
from trainables.metrics import keys


class MeasuredValue(NamedTuple):
    """A number of one trial; `epoch` is None if it was measured at the best epoch."""

    key: str
    value: float
    se: float | None
    epoch: int | None

    def __str__(self) -> str:
        spread = "" if self.se is None else f" ± {self.se:.1g}"
        return format_value(self.value) + spread + ("" if self.epoch is None else f" (epoch {self.epoch})")


def measured_values(sweep: Sweep, number: int) -> dict[str, MeasuredValue]:
    """Return the numbers of a trial by key, in the order of METRICS; none if it was never evaluated."""
    trial = results.read_trial(sweep, number)
    if trial.best is None:
        return {}
    measured = {}
    for key, about in keys().items():
        row = trial.best if key in trial.best else trial.rows[-1]
        if key in row and not about.many:
            epoch = None if row is trial.best else int(row["eval_epoch"])
            measured[key] = MeasuredValue(key, row[key], row.get(f"{key}_se"), epoch)
    return measured


def metric_rows(sweep: Sweep, number: int) -> list[dict[str, Any]]:
    """Return the numbers of a trial next to those of trial 0, the defaults, as rows of text."""
    trial, defaults = measured_values(sweep, number), measured_values(sweep, 0) if number else {}
    return [
        {
            "key": key,
            "name": keys()[key].name,
            "unit": keys()[key].unit,
            "better": BETTER[keys()[key].better],
            "doc": keys()[key].doc,
            "value": str(value),
            "default": str(defaults[key]) if key in defaults else "–",
        }
        for key, value in trial.items()
    ]


def format_metrics(sweep: Sweep, number: int) -> str:
    """Return the numbers of a trial for a terminal, one line each."""
    table = metric_rows(sweep, number)
    width = max((len(line["name"]) for line in table), default=0)
    shown = [f"  {line['name'].ljust(width)}  {line['value']} {line['unit']}".rstrip() for line in table]
    return "\n".join([f"Trial {number}:", *shown])

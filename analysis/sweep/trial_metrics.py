"""List everything that was measured on a trial: each number of METRICS in its rows, at its best epoch.

A number that is measured only at the last evaluation is taken from the last row, and is shown with its epoch. The keys,
their names and which direction is better are defined in METRICS alone.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from analysis.base.formatting import BETTER, format_value
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep.margin import margin_over_defaults
from trainables.metrics import MetricKey, keys


class MeasuredValue(NamedTuple):
    """A number of one trial; `epoch` is None if it was measured at the best epoch."""

    key: str
    value: float
    se: float | None
    epoch: int | None

    def __str__(self) -> str:
        spread = "" if self.se is None else f" ± {self.se:.1g}"
        return format_value(self.value) + spread + ("" if self.epoch is None else f" (epoch {self.epoch})")


def known_keys(sweep: Sweep) -> dict[str, MetricKey]:
    """Return what is known of each number in rows: of METRICS, and of those that a user's model measures or logs."""
    facts = sweep.manifest.user_model["facts"] if sweep.manifest.user_model else {"measured": (), "logged": ()}
    metrics, logged = facts.get("metrics", {}), facts["logged"]
    own_keys = {
        key: MetricKey(key, metrics[key]["better"], "of METRICS in the model's file")
        if key in metrics
        else MetricKey(key, None, "measured by the model itself, on held-out images")
        for key in facts["measured"]
    }
    logs = {key: MetricKey(key, None, "logged by the model itself, the mean of an epoch") for key in logged}
    return {**own_keys, **logs, **keys()}


def measured_values(sweep: Sweep, number: int, epochs: float = math.inf) -> dict[str, MeasuredValue]:
    """Return the numbers of a trial by key, in the order of METRICS, at its best epoch up to `epochs`.

    Return none if it was not evaluated by then.
    """
    trial = results.read_trial(sweep, number)
    best = results.best_row(sweep.goal, [row for row in trial.rows if row["epoch"] <= epochs])
    if best is None:
        return {}
    measured = {}
    for key, about in known_keys(sweep).items():
        row = best if key in best else trial.rows[-1]
        if key in row and not about.many:
            epoch = None if row is best else int(row["eval_epoch"])
            measured[key] = MeasuredValue(key, row[key], row.get(f"{key}_se"), epoch)
    return measured


def metric_rows(sweep: Sweep, number: int) -> list[dict[str, Any]]:
    """Return the numbers of a trial next to those of trial 0, the defaults, within the same epochs, as rows of text."""
    ahead = margin_over_defaults(sweep, number)
    epochs = math.inf if ahead is None else ahead.epochs
    about = known_keys(sweep)
    trial, defaults = (measured_values(sweep, each, epochs) for each in (number, 0))
    return [
        {
            "key": key,
            "name": about[key].name,
            "unit": about[key].unit,
            "better": BETTER[about[key].better],
            "doc": about[key].doc,
            "value": str(value),
            "default": str(defaults[key]) if key in defaults else "–",
        }
        for key, value in trial.items()
    ]


def describe_epochs(sweep: Sweep, number: int) -> str:
    """Return at which epochs `metric_rows` shows a trial and the defaults."""
    ahead = margin_over_defaults(sweep, number)
    if number == 0:
        return "The winner, which has the defaults, at its best epoch"
    if ahead is None:
        return "The winner at its best epoch, next to the defaults at theirs; their scores cannot be compared"
    return f"The winner and the defaults, each at its best epoch after at most {ahead.budget}"


def format_metrics(sweep: Sweep, number: int) -> str:
    """Return the numbers of a trial for a terminal, one line each."""
    measured, about = measured_values(sweep, number), known_keys(sweep)
    width = max((len(about[key].name) for key in measured), default=0)
    shown = [f"  {about[key].name.ljust(width)}  {value} {about[key].unit}".rstrip() for key, value in measured.items()]
    return "\n".join([f"Trial {number}:", *shown])

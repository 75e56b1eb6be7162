"""Everything that was measured on a trial: each number of METRICS that its rows hold, at its best epoch.

What is measured only at a trial's last evaluation is taken from its last row, and says so. Which keys there are, what
they are called and which way is better, is METRICS' to say and nowhere repeated.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from analysis.base.formatting import BETTER, format_value
from analysis.read import results
from analysis.read.results import Sweep
from trainables.metrics import keys


class MeasuredValue(NamedTuple):
    """A number of one trial; `epoch` where it is not of the best one."""

    key: str
    value: float
    se: float | None
    epoch: int | None

    def __str__(self) -> str:
        spread = "" if self.se is None else f" ± {self.se:.1g}"
        return format_value(self.value) + spread + ("" if self.epoch is None else f" (epoch {self.epoch})")


def measured_values(sweep: Sweep, number: int) -> dict[str, MeasuredValue]:
    """The numbers of a trial by key, in the order of METRICS; none where it was never evaluated."""
    one = results.read_trial(sweep, number)
    if one.best is None:
        return {}
    found = {}
    for key, about in keys().items():
        row = one.best if key in one.best else one.rows[-1]
        if key in row and not about.many:
            epoch = None if row is one.best else int(row["eval_epoch"])
            found[key] = MeasuredValue(key, row[key], row.get(f"{key}_se"), epoch)
    return found


def metric_rows(sweep: Sweep, number: int) -> list[dict[str, Any]]:
    """A trial's numbers beside those of trial 0, the defaults, as a table of words."""
    trial, defaults = measured_values(sweep, number), measured_values(sweep, 0) if number else {}
    return [
        {
            "key": key,
            "name": keys()[key].name,
            "unit": keys()[key].unit,
            "better": BETTER[keys()[key].better],
            "doc": keys()[key].doc,
            "value": str(one),
            "default": str(defaults[key]) if key in defaults else "–",
        }
        for key, one in trial.items()
    ]


def format_metrics(sweep: Sweep, number: int) -> str:
    """The same for a terminal: a line a number."""
    table = metric_rows(sweep, number)
    width = max((len(line["name"]) for line in table), default=0)
    shown = [f"  {line['name'].ljust(width)}  {line['value']} {line['unit']}".rstrip() for line in table]
    return "\n".join([f"Trial {number}:", *shown])

"""The entries of METRICS: a metric's function, and for each key that it returns what the value means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from trainables.metrics.inputs import EvalInputs

Mode = Literal["min", "max"]
When = Literal["each", "last", "on_request"]
Value = float | list[float] | list[list[float]]

# Names of Evaluator.stamp: what values of these kinds depend on besides the samples.
MOMENTS = ("extractor", "n_samples", "n_reference", "reference")
SAMPLES = ("extractor", "n_samples")
NEIGHBOURS = ("extractor", "n_neighbours", "reference", "k")


class MetricKey(NamedTuple):
    """One key of a row. A key `x` may come with `x_se`, its standard error, which needs no entry of its own."""

    name: str  # in words, the heading of its column in tables
    better: Mode | None  # None: no ranking
    doc: str  # one line
    unit: str = ""
    stamp: tuple[str, ...] = ()
    many: bool = False  # a list or a table, not a number
    moved_by: tuple[str, ...] = ()  # keys of a configuration that change what the value means


class Metric(NamedTuple):
    """A function of EvalInputs, and its keys. It may omit keys that do not apply to the data."""

    fn: Callable[[EvalInputs], Mapping[str, Value]]
    keys: dict[str, MetricKey]
    # At which evaluations: `each`; `last`: a trial's last one; `on_request`: the last one, if `--also` names it.
    when: When = "each"
    needs: tuple[str, ...] = ("features",)  # the parts of EvalInputs without which it does not run

    def is_due(self, last: bool, requested: bool) -> bool:
        """Return whether to run it at an evaluation, which is the `last` one or not."""
        return requested or self.when == "each" or (last and self.when == "last")

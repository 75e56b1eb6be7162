"""What an entry of METRICS says: the function, and for each key that it returns how to read the value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from trainables.metrics.inputs import EvalInputs

Mode = Literal["min", "max"]
When = Literal["each", "last", "on_request"]
Value = float | list[float] | list[list[float]]

# Names of Evaluator.stamp: what a value of one of these kinds depends on besides the samples.
MOMENTS = ("extractor", "n_samples", "n_reference", "reference")
SAMPLES = ("extractor", "n_samples")
NEIGHBOURS = ("extractor", "n_neighbours", "reference", "k")


class MetricKey(NamedTuple):
    """One key of a row. A key `x` may come with `x_se`, its standard error, which needs no entry of its own."""

    name: str  # in words, as a table heads its column
    better: Mode | None  # None: no ranking
    doc: str  # one line
    unit: str = ""
    stamp: tuple[str, ...] = ()
    many: bool = False  # a list, or a table, and not a number
    moved_by: tuple[str, ...] = ()  # keys of a configuration that change what the value means, or what it stands for


class Metric(NamedTuple):
    """A function of EvalInputs, and its keys. It may leave out keys that do not apply to the data."""

    fn: Callable[[EvalInputs], Mapping[str, Value]]
    keys: dict[str, MetricKey]
    when: When = (
        "each"  # evaluation; `last`: only a trial's last one; `on_request`: there, if the user names it by `--also`
    )
    needs: tuple[str, ...] = ("features",)  # the parts of EvalInputs without which it does not run

    def is_due(self, last: bool, requested: bool) -> bool:
        """Whether it runs at an evaluation, given what that is."""
        return requested or self.when == "each" or (last and self.when == "last")

"""METRICS of a user's file: numbers of the user's own, of samples, reconstructions or codes."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from types import ModuleType
from typing import Any, Literal, NamedTuple

from torch import Tensor

from trainables.errors import UserError, unknown
from trainables.metrics import keys
from trainables.user_model.arguments import check_arguments
from trainables.user_model.model import MetricFacts

N_IMAGES = 2_000  # of each side at most
ERROR = "error_"  # before the name of a metric in rows: why it could not be computed
ARGUMENTS = {
    "samples": ("images", "real"),
    "reconstructions": ("images", "reconstructions"),
    "codes": ("codes", "labels"),
}
SOURCE = {"samples": "sample", "reconstructions": "reconstruct", "codes": "encode"}  # arguments of gs.Model

Pair = tuple[Tensor, Tensor | None]  # the two arguments of a metric's function


class UserMetric(NamedTuple):
    """A metric of a user's own: `gs.Metric(fn)`, where `fn` returns a number or {name: number}.

    What `fn` gets lies on the CPU. Images are float [n, C, H, W] in 0..1.

    - needs="samples": `fn(images, real)`, samples and as many held-out images.
    - needs="reconstructions": `fn(images, reconstructions)`, of held-out images.
    - needs="codes": `fn(codes, labels)`, [n, Z] of held-out images, and int64 [n], or None without classes.

    when="due": at every evaluation; "last": at a trial's last one. `better` is "min", "max" or None.
    """

    fn: Callable[..., Any]
    needs: Literal["samples", "reconstructions", "codes"] = "samples"
    when: Literal["due", "last"] = "due"
    better: Literal["min", "max"] | None = None


def metrics_of(module: ModuleType, served: Collection[str] | None = None) -> dict[str, UserMetric]:
    """Return METRICS of a user's module.

    `served` are the needs that its MODEL can serve; None: it has a `train`, which gives samples. Raise UserError if one
    is not a metric, has a name of ours, takes other arguments, or needs what is not served.
    """
    metrics = getattr(module, "METRICS", {})
    if not isinstance(metrics, Mapping):
        raise UserError(f'{module.__file__}: METRICS: write {{"name": gs.Metric(fn)}}')
    for name, metric in metrics.items():
        try:
            _check(name, metric, served)
        except UserError as error:
            raise UserError(f"{module.__file__}: METRICS[{name!r}]{error}") from error
    return dict(metrics)


def _check(name: Any, metric: Any, served: Collection[str] | None) -> None:
    """Raise UserError with the end of a sentence that begins with the metric."""
    if not isinstance(metric, UserMetric):
        raise UserError(f" is a {type(metric).__name__}: write gs.Metric(fn)")
    if not str(name).isidentifier():
        raise UserError(": name it as a variable of Python")
    if name in keys():
        raise UserError(": gensweep has a metric of this name")
    for key, value, known in (("needs", metric.needs, list(ARGUMENTS)), ("when", metric.when, ["due", "last"])):
        if value not in known:
            raise UserError(f": {unknown(key, str(value), known)}")
    if metric.better not in (None, "min", "max"):
        raise UserError(f": better={metric.better!r}: write 'min' or 'max'")
    try:
        check_arguments("fn", metric.fn, ARGUMENTS[metric.needs])
    except UserError as error:
        raise UserError(f": {error}") from error
    if served is None and metric.needs != "samples":
        raise UserError(f" needs {metric.needs}, which train() cannot give: use trial.measure(), or gs.Model()")
    if served is not None and metric.needs not in served:
        raise UserError(f" needs {metric.needs}: give gs.Model({SOURCE[metric.needs]}=...)")


def compute(metrics: Mapping[str, UserMetric], pair: Callable[[str], Pair | None], last: bool) -> dict[str, Any]:
    """Return the numbers of all metrics that are due by key; `last`: this is a trial's last evaluation.

    `pair(needs)` returns the arguments of a metric, None if there are none. A metric that raises an error, or gives a
    number that is not finite, has no number, but the error as a text under `error_NAME`: it costs the metric, not the
    trial.
    """
    row: dict[str, Any] = {}
    pairs: dict[str, Pair | None] = {}
    for name, metric in metrics.items():
        if metric.when == "last" and not last:
            continue
        if metric.needs not in pairs:
            pairs[metric.needs] = pair(metric.needs)
        arguments = pairs[metric.needs]
        if arguments is not None:
            row |= _numbers(name, metric, arguments)
    return row


def _numbers(name: str, metric: UserMetric, arguments: Pair) -> dict[str, Any]:
    try:
        values = metric.fn(*arguments)
        named = values if isinstance(values, Mapping) else {"": values}
        numbers = {f"{name}_{key}" if key else name: float(value) for key, value in named.items()}
    except Exception as error:  # noqa: BLE001  of the user's own code, and of any kind
        return {f"{ERROR}{name}": f"{type(error).__name__}: {error}"[:200]}
    finite = {key: value for key, value in numbers.items() if math.isfinite(value)}
    broken = [f"{key} is {value}" for key, value in numbers.items() if key not in finite]
    return finite | ({f"{ERROR}{name}": ", ".join(broken)[:200]} if broken else {})


def try_metrics(
    metrics: Mapping[str, UserMetric], pair: Callable[[str], Pair | None]
) -> tuple[dict[str, float], dict[str, MetricFacts]]:
    """Return the number and the facts of each key; raise UserError if one fails, or if it is a key of gensweep's."""
    row: dict[str, float] = {}
    facts: dict[str, MetricFacts] = {}
    for name, metric in metrics.items():
        numbers = compute({name: metric}, pair, last=True)
        if f"{ERROR}{name}" in numbers:
            raise UserError(f"METRICS[{name!r}]: {numbers[f'{ERROR}{name}']}")
        for key in numbers:
            if key in keys() or key in row:
                raise UserError(f"METRICS[{name!r}] gives {key!r}, which another metric gives too: name it otherwise")
            facts[key] = MetricFacts(name, metric.when, metric.better)
        row |= numbers
    return row, facts


def reason(row: Mapping[str, Any], key: str, metrics: Mapping[str, MetricFacts]) -> str:
    """Return why a row lacks a key of METRICS; empty if it does not say."""
    return str(row.get(f"{ERROR}{metrics[key].metric}", "")) if key in metrics else ""

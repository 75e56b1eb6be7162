"""METRICS of a user's file: numbers of the user's own, computed from samples and as many held-out images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from torch import Tensor

from trainables.errors import UserError
from trainables.metrics import keys

N_IMAGES = 2_000  # of each side at most
ERROR = "error_"  # before the name of a metric in rows: why it could not be computed


class UserMetric(NamedTuple):
    """A metric of a user's own: `gs.Metric(fn)`.

    `fn(images, real)` gets samples and held-out images, each float [n, C, H, W] in 0..1 on the CPU. It returns a number
    or {name: number}.
    """

    fn: Callable[[Tensor, Tensor], Any]


def metrics_of(module: ModuleType) -> dict[str, UserMetric]:
    """Return METRICS of a user's module; raise UserError if one is not a metric, or has a name of ours."""
    metrics = getattr(module, "METRICS", {})
    if not isinstance(metrics, Mapping):
        raise UserError(f'{module.__file__}: METRICS: write {{"name": gs.Metric(fn)}}')
    for name, metric in metrics.items():
        if not isinstance(metric, UserMetric):
            raise UserError(f"{module.__file__}: METRICS[{name!r}] is a {type(metric).__name__}: write gs.Metric(fn)")
        if not str(name).isidentifier():
            raise UserError(f"{module.__file__}: METRICS[{name!r}]: name it as a variable of Python")
        if name in keys():
            raise UserError(f"{module.__file__}: METRICS[{name!r}]: gensweep has a metric of this name")
    return dict(metrics)


def compute(metrics: Mapping[str, UserMetric], images: Tensor, real: Tensor) -> dict[str, Any]:
    """Return the numbers of all metrics by key.

    A metric that raises an error has no number, but the error as a text under `error_NAME`: it costs the metric, not
    the trial.
    """
    row: dict[str, Any] = {}
    n = min(len(images), len(real), N_IMAGES)
    for name, metric in metrics.items():
        try:
            values = metric.fn(images[:n].cpu().float(), real[:n].cpu())
            numbers = values if isinstance(values, Mapping) else {"": values}
            row |= {f"{name}_{key}" if key else name: float(value) for key, value in numbers.items()}
        except Exception as error:  # noqa: BLE001  of the user's own code, and of any kind
            row[f"{ERROR}{name}"] = f"{type(error).__name__}: {error}"[:200]
    return row

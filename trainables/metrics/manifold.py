"""Precision, recall, density and coverage: is what is drawn real-looking, and is what is real drawn?

Improved precision and recall: Kynkaanniemi et al. 2019, arXiv:1904.06991, eq. 2 and 3. Density and coverage: Naeem et
al. 2020, arXiv:2002.09797, eq. 5 and 6, whose k and strict edge we take for all four. A perfect generator does not
reach 1: held-out real images are the ceiling (docs/calibration.md).
"""

from __future__ import annotations

import math

from trainables.lazy_import import Tensor
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.neighbours import K
from trainables.metrics.types import NEIGHBOURS, MetricKey


def manifold(inputs: EvalInputs) -> dict[str, float]:
    """`precision`, `recall`, `coverage` in 0..1 with their binomial standard errors, `density` >= 0."""
    found = inputs.neighbours
    values = {"density": float(found.balls.double().mean()) / K}
    for name, hits in {"precision": found.balls > 0, "recall": found.recalled, "coverage": found.covered}.items():
        values[name], values[f"{name}_se"] = share(hits)
    return values


def share(hits: Tensor) -> tuple[float, float]:
    """The share of hits [n] and its binomial standard error."""
    p = float(hits.double().mean())
    return p, math.sqrt(p * (1 - p) / len(hits))


KEYS = {
    "precision": MetricKey("precision", "max", "share of the samples that lie among real images", "0..1", NEIGHBOURS),
    "recall": MetricKey("recall", "max", "share of the real images that lie among samples", "0..1", NEIGHBOURS),
    "density": MetricKey(
        "density", "max", "real neighbourhoods that hold a sample, over k; real images have 1", "", NEIGHBOURS
    ),
    "coverage": MetricKey("coverage", "max", "share of the real neighbourhoods that hold a sample", "0..1", NEIGHBOURS),
}

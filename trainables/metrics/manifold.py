"""Precision, recall, density and coverage: do samples look real, and do they cover the real images?

Improved precision and recall: Kynkaanniemi et al. 2019, arXiv:1904.06991, eq. 2 and 3. Density and coverage: Naeem et
al. 2020, arXiv:2002.09797, eq. 5 and 6; all four use its k and its strict inequality. A perfect generator does not
reach 1: held-out real images are the ceiling (docs/calibration.md).
"""

from __future__ import annotations

import math

from trainables.lazy_import import Tensor
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.neighbours import K
from trainables.metrics.types import NEIGHBOURS, MetricKey


def manifold(inputs: EvalInputs) -> dict[str, float]:
    """Return `precision`, `recall`, `coverage` in 0..1 with their binomial standard errors, and `density` >= 0."""
    counts = inputs.neighbours
    values = {"density": float(counts.balls.double().mean()) / K}
    for name, hits in {"precision": counts.balls > 0, "recall": counts.recalled, "coverage": counts.covered}.items():
        values[name], values[f"{name}_se"] = share(hits)
    return values


def share(hits: Tensor) -> tuple[float, float]:
    """Return the share of hits [n] and its binomial standard error."""
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

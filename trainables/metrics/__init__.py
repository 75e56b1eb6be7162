"""Metrics of images: one pinned extractor for each data set, one pass over the samples, and scores by key.

A metric is a function of EvalInputs (inputs.py) that returns plain values by key. A new one needs a file and a line of
METRICS; rows, `best`, the report and the table in the documentation follow. Metrics and models do not depend on each
other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainables.lazy_import import Tensor, torch
from trainables.metrics import (
    classes,
    classification_accuracy,
    conditional,
    duplicates,
    fid,
    kid,
    likelihood,
    manifold,
    memorisation,
    own_measures,
    pixels,
    probe,
    sharpness,
    silhouette,
    stacked_mnist_modes,
)
from trainables.metrics.evaluator import Evaluator, load_extractor
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.types import Metric, MetricKey, Value, When

if TYPE_CHECKING:
    from trainables.metrics.evaluator_setup import build_evaluator
    from trainables.metrics.extractor import Extractor, Scores

__all__ = [
    "METRICS",
    "EvalInputs",
    "Evaluator",
    "Extractor",
    "Metric",
    "MetricKey",
    "Scores",
    "When",
    "build_evaluator",
    "extract_features",
    "keys",
    "load_extractor",
    "measure",
    "rests_on_extractor",
]

_WITH_NETS = {
    "build_evaluator": "evaluator_setup",
    "Extractor": "extractor",
    "Scores": "extractor",
}  # imported when first used, because they import torch

METRICS: dict[str, Metric] = {
    "fid": Metric(fid.fid, fid.KEYS),
    "fid_raw": Metric(fid.fid_raw, fid.RAW, needs=("features", "raw")),
    "kid": Metric(kid.kid, kid.KEYS),
    "classes": Metric(classes.classes, classes.KEYS, needs=("features", "classes")),
    "certainty": Metric(classes.certainty, classes.CERTAINTY, needs=("features", "classes")),
    "manifold": Metric(manifold.manifold, manifold.KEYS),
    "duplicates": Metric(duplicates.duplicates, duplicates.KEYS),
    "sharpness": Metric(sharpness.sharpness, sharpness.KEYS),
    "pixels": Metric(pixels.pixels, pixels.KEYS, needs=("features", "data")),
    "class_spread": Metric(pixels.class_spread, pixels.SPREAD, needs=("features", "labels", "classes", "data")),
    "conditional": Metric(conditional.conditional, conditional.KEYS, needs=("features", "labels", "classes")),
    "memorisation": Metric(memorisation.memorisation, memorisation.KEYS, "last"),
    "stacked": Metric(stacked_mnist_modes.stacked, stacked_mnist_modes.KEYS, "last", ("features", "draw")),
    "cas": Metric(
        classification_accuracy.cas,
        classification_accuracy.KEYS,
        "on_request",
        ("features", "labels", "classes", "draw", "data"),
    ),
    "held_out": Metric(own_measures.held_out, own_measures.KEYS, needs=("measured",)),
    "silhouette": Metric(silhouette.silhouette, silhouette.KEYS, needs=("encode", "classes", "data")),
    "probe": Metric(probe.probe, probe.KEYS, "last", ("encode", "classes", "data")),
    "likelihood": Metric(likelihood.likelihood, likelihood.KEYS, "last", ("log_weight", "data")),
}


if not TYPE_CHECKING:  # a type checker would take any name as defined

    def __getattr__(name: str) -> Any:
        if name not in _WITH_NETS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"trainables.metrics.{_WITH_NETS[name]}"), name)


def keys() -> dict[str, MetricKey]:
    """Return every key of every metric, in the order of METRICS."""
    return {name: key for metric in METRICS.values() for name, key in metric.keys.items()}


def rests_on_extractor(key: str) -> bool:
    """Return whether a metric is a function of the extractor's features."""
    about = keys().get(key)
    return about is not None and "extractor" in about.stamp


def measure(inputs: EvalInputs, *, last: bool = True, also: tuple[str, ...] = ()) -> dict[str, Value]:
    """Return every metric that the inputs suffice for, as plain floats and lists.

    Metrics of every evaluation are measured, those of a trial's `last` one if it is that, and `also` those named.
    If an image is not finite, numbers of samples are nan, and lists are left out.
    """
    values: dict[str, Value] = {}
    for name, metric in METRICS.items():
        if not metric.is_due(last, name in also) or not all(inputs.has(part) for part in metric.needs):
            continue
        if "features" in metric.needs and not inputs.finite:
            values |= {key: math.nan for key, about in metric.keys.items() if not about.many}
            continue
        with torch.no_grad():
            values |= metric.fn(inputs)
    return values


def extract_features(
    evaluator: Evaluator, extractor: Extractor, images: Iterator[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the first evaluator.n_samples images [N,C,H,W], their features [N,F] and logits [N,K]."""
    from trainables.metrics.extract import run_extractor

    batches: list[Tensor] = []

    def collected() -> Iterator[Tensor]:
        for batch in images:
            batches.append(batch)
            yield batch

    features, logits = run_extractor(extractor, collected(), evaluator.n_samples)
    return torch.cat(batches)[: evaluator.n_samples], features, logits

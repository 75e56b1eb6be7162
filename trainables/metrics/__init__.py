"""The metrics room: one pinned extractor a data set, one pass over the samples, a vector of scores.

A metric is a function of (features [N,F], logits [N,K], judge) that returns plain numbers by key. Adding one is a file
and a line of METRICS; no metric knows a model, and no model knows a metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from trainables.metrics.build import build_judge
from trainables.metrics.classes import classes
from trainables.metrics.extractor import Extractor, Scores
from trainables.metrics.fid import fid
from trainables.metrics.judge import Judge, load_extractor
from trainables.metrics.passes import batched

__all__ = ["METRICS", "Extractor", "Judge", "Metric", "Scores", "build_judge", "load_extractor", "score"]

Mode = Literal["min", "max"]


class Metric(NamedTuple):
    """A function of one pass, and for each key that it returns which way is better (None: no ranking)."""

    fn: Callable[[Tensor, Tensor, Judge], dict[str, float | list[float]]]
    modes: dict[str, Mode | None]


METRICS: dict[str, Metric] = {
    "fid": Metric(fid, {"fid": "min"}),
    "classes": Metric(classes, {"class_shares": None, "modes": "max"}),
}


@torch.no_grad()
def score(judge: Judge, extractor: Extractor, images: Iterator[Tensor]) -> dict[str, float | list[float]]:
    """Every metric of the first judge.n_samples images [B,C,H,W] in [0,1], as plain floats and lists.

    They are nan where an image is not finite. Raises ValueError where the iterator yields too few.
    """
    features, logits = batched(extractor, images, judge.n_samples)
    return {key: value for metric in METRICS.values() for key, value in metric.fn(features, logits, judge).items()}

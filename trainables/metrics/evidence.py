"""What a metric sees: samples, what the extractor says of them, and whatever several metrics would compute twice."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from trainables.metrics.judge import Judge
from trainables.metrics.neighbours import Balls, Neighbours, neighbours


@dataclass(frozen=True)
class Evidence:
    """One generator's samples before its judge. Shapes: N samples, C H W image, F features, K classes."""

    judge: Judge
    images: Tensor  # [N,C,H,W] in [0,1]
    features: Tensor  # [N,F]
    logits: Tensor  # [N,K]
    labels: Tensor | None = None  # int64 [N], the classes asked for; None: the model takes none

    def has(self, part: str) -> bool:
        """Whether there is anything under this name."""
        value = getattr(self, part)
        return value is not None and (not isinstance(value, Sized) or len(value) > 0)

    @cached_property
    def finite(self) -> bool:
        """Whether every image is: one that is not makes all scores nan."""
        return bool(self.features.isfinite().all() & self.logits.isfinite().all())

    @cached_property
    def neighbours(self) -> Neighbours:
        """Of the first samples and the judge's real images; see neighbours.py."""
        features, own, radius = (torch.tensor(array).to(self.features.device) for array in self.judge.real)
        return neighbours(self.features, features, Balls(own, radius))

"""Which classes the samples fall into, and how many they cover.

The extractor names each sample; `class_shares` is the histogram and `modes` the exponential of its entropy in nats, the
effective number of classes (Vendi Score, Friedman and Dieng 2022, arXiv:2210.02410, uses the same on stacked MNIST): it
still ranks generators when a plain count of classes is full.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.metrics.judge import Judge


def effective(shares: Tensor) -> float:
    """exp of the entropy of shares [K] that sum to 1: from 1 (one class) to K (all alike)."""
    return float(torch.special.entr(shares).sum().exp())


def classes(features: Tensor, logits: Tensor, judge: Judge) -> dict[str, float | list[float]]:
    """`class_shares` (K, in the order of judge.classes) and `modes` of logits [N,K]; nan where one is not finite."""
    n_classes = logits.shape[1]
    if not bool(logits.isfinite().all()):
        return {"class_shares": [float("nan")] * n_classes, "modes": float("nan")}
    shares = torch.bincount(logits.argmax(1).cpu(), minlength=n_classes).double() / len(logits)
    return {"class_shares": shares.tolist(), "modes": effective(shares)}

"""Which classes the samples fall into, and how many they cover.

The extractor names each sample; `class_shares` is the histogram and `modes` the exponential of its entropy in nats, the
effective number of classes (Vendi Score, Friedman and Dieng 2022, arXiv:2210.02410, uses the same on stacked MNIST): it
still ranks generators when a plain count of classes is full.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.metrics.evidence import Evidence
from trainables.metrics.metric import SAMPLES, Key


def effective(shares: Tensor) -> float:
    """exp of the entropy of shares [K] that sum to 1: from 1 (one class) to K (all alike)."""
    return float(torch.special.entr(shares).sum().exp())


def classes(evidence: Evidence) -> dict[str, float | list[float]]:
    """`class_shares` (K, in the order of judge.classes) and `modes`, 1..K."""
    n_classes = evidence.logits.shape[1]
    named = torch.bincount(evidence.logits.argmax(1).cpu(), minlength=n_classes).double()
    shares = named / named.sum()
    return {"class_shares": shares.tolist(), "modes": effective(shares)}


KEYS = {
    "class_shares": Key("class shares", None, "share of the samples in each class", "", SAMPLES, many=True),
    "modes": Key("effective modes", "max", "exponential of the entropy of the class shares", "classes", SAMPLES),
}

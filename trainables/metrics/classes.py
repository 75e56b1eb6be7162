"""Which classes the samples belong to, how many they cover, and how sure the extractor is.

The extractor classifies each sample. `class_shares` is the histogram, and `modes` is the exponential of its entropy in
nats, the effective number of classes (Vendi Score, Friedman and Dieng 2022, arXiv:2210.02410, uses the same on stacked
MNIST). It still ranks generators that all cover every class. `modes_1pct` counts the classes with at least 1 % of the
samples; the extractor's errors alone can fill a tenth of that. `is` is the Inception score (Salimans et al. 2016,
arXiv:1606.03498, section 4) over all samples at once, for comparison only: it cannot detect a collapse within a class.
"""

from __future__ import annotations

import math

from trainables.lazy_import import Tensor, torch
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.types import SAMPLES, MetricKey, Value

RARE = 0.01


def effective(shares: Tensor) -> float:
    """Return exp of the entropy of shares [K] that sum to 1: from 1 (one class) to K (all shares equal)."""
    return float(torch.special.entr(shares).sum().exp())


def divergence(shares: Tensor, prior: Tensor) -> float:
    """Return KL(shares || prior) in nats, each [K]; prior shares below a millionth count as a millionth."""
    return float((torch.special.xlogy(shares, shares) - torch.special.xlogy(shares, prior.clamp_min(1e-6))).sum())


def histogram(logits: Tensor) -> Tensor:
    """Return the share of images in each class, the most likely one by logits [N,K]: float64 [K] on the CPU."""
    counts = torch.bincount(logits.argmax(1).cpu(), minlength=logits.shape[1])
    return counts.double() / len(logits)


def classes(inputs: EvalInputs) -> dict[str, Value]:
    """Return all keys of KEYS; class_shares in the order of evaluator.classes."""
    shares = histogram(inputs.logits)
    values: dict[str, Value] = {
        "class_shares": shares.tolist(),
        "modes": effective(shares),
        "kl_prior": divergence(shares, torch.tensor(inputs.evaluator.class_prior)),
    }
    if len(shares) * RARE <= 0.5:  # with more classes, equal shares would hardly reach RARE
        values["modes_1pct"] = float((shares >= RARE).sum())
    return values


def certainty(inputs: EvalInputs) -> dict[str, Value]:
    """Return `mean_prob` with its standard error, and `is`."""
    log_p = inputs.logits.double().log_softmax(1)
    top = log_p.amax(1).exp()
    p = log_p.exp()
    gain = (p * log_p).sum(1).mean() + torch.special.entr(p.mean(0)).sum()
    return {
        "mean_prob": float(top.mean()),
        "mean_prob_se": float(top.std()) / math.sqrt(len(top)),
        "is": float(gain.exp()),
    }


KEYS = {
    "class_shares": MetricKey("class shares", None, "share of the samples in each class", "0..1", SAMPLES, many=True),
    "modes": MetricKey("effective modes", "max", "exponential of the entropy of the class shares", "classes", SAMPLES),
    "kl_prior": MetricKey("KL to the class shares", "min", "KL from the training set's class shares", "nats", SAMPLES),
    "modes_1pct": MetricKey("modes over 1 %", "max", "classes with at least 1 % of the samples", "classes", SAMPLES),
}
CERTAINTY = {
    "mean_prob": MetricKey(
        "top probability", "max", "the extractor's probability of its first choice", "0..1", SAMPLES
    ),
    "is": MetricKey(
        "Inception score", None, "with the pinned extractor; blind to copies, for comparison only", "", SAMPLES
    ),
}

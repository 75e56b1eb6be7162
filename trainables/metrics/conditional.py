"""Does a conditional generator draw what it was asked for? The extractor reads each sample and is taken at its word.

GAN-test of Shmelkov et al. 2018, arXiv:1807.09499, section 3, with the pinned extractor: its own accuracy on real
images is the ceiling.
"""

from __future__ import annotations

from trainables.lazy_import import torch
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.manifold import share
from trainables.metrics.types import SAMPLES, MetricKey, Value

MANY = 100  # with more classes the table outgrows a row


def conditional(inputs: EvalInputs) -> dict[str, Value]:
    """All keys below; a row of `confusion` [K,K] is a class asked for and sums to 1, or is 0 where none was."""
    assert inputs.labels is not None
    read, asked = inputs.logits.argmax(1).cpu(), inputs.labels.cpu()
    value, se = share(read == asked)
    k = inputs.logits.shape[1]
    found: dict[str, Value] = {"accuracy": value, "accuracy_se": se}
    if k <= MANY:
        counts = torch.bincount(asked * k + read, minlength=k * k).view(k, k).double()
        table = counts / counts.sum(1, keepdim=True).clamp_min(1)
        found |= {"class_accuracy": table.diagonal().tolist(), "confusion": table.tolist()}
    return found


KEYS = {
    "accuracy": MetricKey(
        "label accuracy", "max", "share of the samples that are read as the class asked for", "0..1", SAMPLES
    ),
    "class_accuracy": MetricKey("accuracy by class", "max", "the same for each class", "0..1", SAMPLES, many=True),
    "confusion": MetricKey(
        "confusion", None, "share of each class read, by class asked for", "0..1", SAMPLES, many=True
    ),
}

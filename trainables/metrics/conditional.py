"""Does a conditional generator draw the class of its label? The extractor classifies each sample.

GAN-test of Shmelkov et al. 2018, arXiv:1807.09499, section 3, with the pinned extractor. Its accuracy on
real images is the ceiling.
"""

from __future__ import annotations

from trainables.lazy_import import torch
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.manifold import share
from trainables.metrics.types import SAMPLES, MetricKey, Value

MANY = 100  # with more classes the table is too large for a row


def conditional(inputs: EvalInputs) -> dict[str, Value]:
    """Return all keys of KEYS.

    Each row of `confusion` [K,K] is a label and sums to 1, or is 0 if no sample has that label.
    """
    assert inputs.labels is not None
    read, labels = inputs.logits.argmax(1).cpu(), inputs.labels.cpu()
    value, se = share(read == labels)
    k = inputs.logits.shape[1]
    values: dict[str, Value] = {"accuracy": value, "accuracy_se": se}
    if k <= MANY:
        counts = torch.bincount(labels * k + read, minlength=k * k).view(k, k).double()
        table = counts / counts.sum(1, keepdim=True).clamp_min(1)
        values |= {"class_accuracy": table.diagonal().tolist(), "confusion": table.tolist()}
    return values


KEYS = {
    "accuracy": MetricKey(
        "label accuracy",
        "max",
        "share of the samples that the extractor assigns to the class of their label",
        "0..1",
        SAMPLES,
    ),
    "class_accuracy": MetricKey("accuracy by class", "max", "the same for each class", "0..1", SAMPLES, many=True),
    "confusion": MetricKey(
        "confusion", None, "share of each class that the extractor assigns, by label", "0..1", SAMPLES, many=True
    ),
}

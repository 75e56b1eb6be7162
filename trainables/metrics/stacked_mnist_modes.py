"""Modes of stacked MNIST by the published protocol: Srivastava et al. 2017, arXiv:1705.07761, section 4.

A pretrained digit classifier reads each colour plane of 26,000 samples. A mode of the 1,000 counts if it has a sample,
and the divergence is that of the samples' modes from equal shares. Lin et al. 2018 (PacGAN, arXiv:1712.04086) do the
same. The finite sample alone gives (1000 - 1) / (2 x 26,000) = .019 nats.
"""

from __future__ import annotations

from trainables.lazy_import import torch
from trainables.metrics.classes import divergence, histogram
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.types import MetricKey

N_STACKED = 26_000


def stacked(inputs: EvalInputs) -> dict[str, float]:
    """Return all keys of KEYS; nothing if images are not stacked."""
    if inputs.evaluator.arch["planes"] == 1:
        return {}
    shares = histogram(inputs.read(N_STACKED))
    even = torch.full_like(shares, 1 / len(shares))
    return {"stacked_modes": float((shares > 0).sum()), "stacked_kl": divergence(shares, even)}


KEYS = {
    "stacked_modes": MetricKey(
        "modes of 1,000", "max", "of stacked MNIST, with at least one of 26,000 samples", "modes", ("extractor",)
    ),
    "stacked_kl": MetricKey(
        "KL to even modes", "min", "of stacked MNIST, 26,000 samples; real images have .019", "nats", ("extractor",)
    ),
}

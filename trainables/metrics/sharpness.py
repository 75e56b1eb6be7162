"""Sharpness: the energy of an image's edges, against that of real images. Below 1 is blurred, above it is noisy.

Energy is the mean squared difference of neighbouring pixels, down and across. Its ratio to the data is what a person
means by "blurrier than": a mean over many plausible images (a VAE's decoder) has less of it.
"""

from __future__ import annotations

import math

from trainables.lazy_import import Tensor
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.types import MetricKey

FLAT = 1e-6  # real images without any edge


def edge_energy(images: Tensor) -> Tensor:
    """Return the edge energy of images [N,C,H,W] in [0,1], H and W at least 2: [N]."""
    down, across = images.diff(dim=2), images.diff(dim=3)
    return down.square().flatten(1).mean(1) + across.square().flatten(1).mean(1)


def sharpness(inputs: EvalInputs) -> dict[str, float]:
    """Return `sharpness` of the samples, with its standard error; real images have 1."""
    energy = edge_energy(inputs.images).double() / max(inputs.evaluator.edge_energy, FLAT)
    return {"sharpness": float(energy.mean()), "sharpness_se": float(energy.std()) / math.sqrt(len(energy))}


KEYS = {
    "sharpness": MetricKey(
        "sharpness", None, "edge energy over that of real images; under 1 blurred, over 1 noisy", "",
        ("n_samples", "n_reference", "reference"),
    )
}  # fmt: skip

"""Reconstruct images with an autoencoder at its best evaluated epoch, and measure how it denoises points of y = x^2."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis.nets import rebuild
from analysis.read import dataset, results
from analysis.read.results import Sweep
from trainables.errors import UserError

POINTS = 400
FINE = np.linspace(0, 1, 2001)
CURVE = np.stack([FINE, (2 * FINE - 1) ** 2], 1)  # y = x^2 with x in [-1, 1], as the data set `parabola` stores it


class DenoisedPoints(NamedTuple):
    """Noisy points [n, 2] and their reconstructions, in the unit square of the data set.

    `before` and `after` are their mean distances to the curve.
    """

    corrupted: NDArray[np.float32]
    denoised: NDArray[np.float32]
    before: float
    after: float


def held_out_images(sweep: Sweep, n: int) -> Tensor:
    """Return the first n held-out images, float [n, C, H, W] in [0, 1]; raise UserError if they are not available."""
    data = dataset.sweep_dataset(sweep)
    if data is None:
        raise UserError(f"the images of {sweep.place.name!r} ({sweep.manifest.dataset}) are not at hand")
    return data.val.to("cpu").gather(torch.arange(n), torch.device("cpu"))[0]


def reconstruct(sweep: Sweep, number: int, x: Tensor) -> Tensor:
    """Return a trial's reconstructions of images [n, C, H, W]."""
    model = sweep.manifest.trainable
    assert model.reconstruct is not None, f"{model.name} does not reconstruct"
    with torch.no_grad():
        return model.reconstruct(rebuild.load_nets(sweep, number), x)


def denoise_parabola(sweep: Sweep, number: int) -> DenoisedPoints:
    """Return held-out points with the noise of the trial's training, and their reconstructions.

    The draws of the noise are the same for every trial.
    """
    x = held_out_images(sweep, POINTS)
    eps = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    noisy = x + results.read_trial(sweep, number).config["sigma"] * eps
    corrupted, denoised = (part.reshape(len(x), 2).numpy() for part in (noisy, reconstruct(sweep, number, noisy)))
    return DenoisedPoints(corrupted, denoised, _distance(corrupted), _distance(denoised))


def _distance(points: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(points[:, None] - CURVE, axis=2).min(1).mean())

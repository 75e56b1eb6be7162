"""Calibrate an extractor on the images that it judges: does its FID rise when they are damaged?

The held-out images are damaged in known ways. A judge whose FID does not grow with the damage cannot be trusted to see
that fault in samples.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from trainables.data import Dataset
from trainables.metrics.evaluator import Evaluator, load_extractor
from trainables.metrics.extract import run_extractor, split_images
from trainables.metrics.fid import Moments, frechet, moments

MARGIN = 1.05  # a damaged set has to score this much worse
Damage = Callable[[Tensor], Tensor]


def blurred(x: Tensor) -> Tensor:
    """Return images [N, C, H, W] under a box blur of 3 x 3."""
    return nn.functional.avg_pool2d(nn.functional.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)


def noisy(x: Tensor) -> Tensor:
    """Return images with normal noise of a tenth of the range."""
    return (x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def repeated(x: Tensor) -> Tensor:
    """Return the first tenth of the images, ten times."""
    return x[: max(1, len(x) // 10)].repeat(11, 1, 1, 1)[: len(x)]


def alike(x: Tensor) -> Tensor:
    """Return the half of the images that is nearest to one of them, twice: half of the variety is gone."""
    near = (x - x[:1]).square().flatten(1).sum(1).argsort()[: max(1, len(x) // 2)]
    return x[near].repeat(2, 1, 1, 1)[: len(x)]


DAMAGES: dict[str, Damage] = {
    "blurred images from sharp ones": blurred,
    "noisy images from clean ones": noisy,
    "few repeated images from many": repeated,
    "half of the variety from all of it": alike,
}


def weak_spots(evaluator: Evaluator, dataset: Dataset) -> list[str]:
    """Return what the evaluator's FID cannot tell apart on these images, in words; nothing if it sees all damages."""
    extractor = load_extractor(evaluator, "cpu")
    x = torch.cat(list(split_images(dataset.val.to("cpu"))))
    reference = Moments(torch.tensor(evaluator.mean), torch.tensor(evaluator.cov))

    def fid(images: Tensor) -> float:
        features = run_extractor(extractor, iter(torch.split(images, 500)), len(images)).features
        return frechet(moments(features), reference)

    sound = fid(x)
    spots = []
    for name, damage in DAMAGES.items():
        if (score := fid(damage(x))) < MARGIN * sound:
            spots.append(f"{name} ({score:.3g} against {sound:.3g})")
    return spots

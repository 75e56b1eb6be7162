"""Calibrate an extractor on the images that it judges: does its FID rise when they are damaged?

The held-out images are damaged in known ways. A judge whose FID does not grow with the damage cannot be trusted to see
that fault in samples.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from trainables import random_streams
from trainables.data import Dataset
from trainables.filestore import replace_local_file
from trainables.metrics.chosen_extractor import on_best_device
from trainables.metrics.evaluator import Evaluator, load_extractor
from trainables.metrics.evaluator_setup import cache_folder
from trainables.metrics.extract import run_extractor
from trainables.metrics.fid import frechet, moments

MARGIN = 1.05  # a damaged set has to score this much worse
FEW = 10  # of fewer held-out images no FID says anything
N_CALIBRATED, N_OF_LARGE = 2_000, 500  # held-out images at most, of a small net and of one from a user's file
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


def calibrated(evaluator: Evaluator, dataset: Dataset, folder: Path | None = None) -> list[str]:
    """Return `weak_spots`, measured once for a data set and an extractor: it is cached beside the extractors."""
    name = f"{dataset.fingerprint}-{evaluator.extractor_id}.calibration.json"
    path = (folder or cache_folder()) / name
    names = list(DAMAGES)
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # if it is damaged, measure again
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["damages"] == names:
            return [str(spot) for spot in content["spots"]]
    spots = weak_spots(evaluator, dataset)
    with contextlib.suppress(OSError):  # if the cache cannot be written, the next sweep measures again
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_local_file(path, json.dumps({"damages": names, "spots": spots}).encode())
    return spots


def weak_spots(evaluator: Evaluator, dataset: Dataset) -> list[str]:
    """Return what the evaluator's FID cannot tell apart on these images, in words; nothing if it sees all damages.

    Held-out images, sound and damaged, are compared with the training images, which no damaged one is made from. With
    fewer than FEW of them nothing can be said, and the list is empty.
    """
    if len(dataset.val) < FEW:
        return []
    extractor = on_best_device(load_extractor(evaluator, "cpu"))
    device = next(extractor.parameters()).device
    most = N_OF_LARGE if "net" in evaluator.arch else N_CALIBRATED
    rows = random_streams.permutation(len(dataset.val), "cpu", 0, "calibration")[:most]
    x, _ = dataset.val.to("cpu").gather(rows, torch.device("cpu"))
    reference = moments(torch.from_numpy(evaluator.train.features))

    def fid(images: Tensor) -> float:
        batches = (part.to(device) for part in torch.split(images, 500))
        return frechet(moments(run_extractor(extractor, batches, len(images)).features), reference)

    sound = fid(x)
    spots = []
    for name, damage in DAMAGES.items():
        if (score := fid(damage(x))) < MARGIN * sound:
            spots.append(f"{name} ({score:.3g} against {sound:.3g})")
    return spots

"""Compute the statistics of the real images that samples are compared with: once, in the driver.

`val` is the reference, so that copying the training images does not pay; small sets add `train` to it, since a
covariance needs some thousands of images. Memorisation needs the training images as well. All features are cached on
disk beside the extractors, because a pass over 60,000 images takes seconds.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from torch import Tensor

from trainables import random_streams
from trainables.data import Dataset
from trainables.data.dataset import Split
from trainables.filestore import replace_local_file
from trainables.metrics.distances import closest
from trainables.metrics.evaluator import N_MEMORISED, Floats, Real, Train
from trainables.metrics.extract import run_extractor, split_images
from trainables.metrics.extractor import Extractor, SmallExtractor
from trainables.metrics.neighbours import N_NEIGHBOURS, balls
from trainables.metrics.sharpness import edge_energy

MIN_REFERENCE = 5_000
MAX_TRAIN = 60_000  # of stacked MNIST's 128,000; every other set is smaller
MAX_TRAIN_OF_LARGE = 10_000  # for a net from a user's file, which needs about a tenth of a second for an image


class Reference(NamedTuple):
    """The statistics of real images that an evaluator holds, except their moments."""

    features: Tensor  # [N,F] of the whole reference
    edge_energy: float
    real: Real
    train: Train


def choose(dataset: Dataset, test: bool = False) -> tuple[str, tuple[Split, ...]]:
    """Return the name of the reference and its splits: for a search, or for final scores (`test`)."""
    if test:
        return "test", (dataset.test,)
    if len(dataset.val) >= MIN_REFERENCE:
        return "val", (dataset.val,)
    return "train+val", (dataset.train, dataset.val)


def build_reference(dataset: Dataset, extractor: Extractor, cached: Path, test: bool = False) -> Reference:
    """Return the reference of `dataset` under `extractor`; its features are cached in the file `cached`.

    For `test` the held-out images are those of the test split, and the reference holds no others.
    """
    name, parts = choose(dataset, test)
    if test:
        dataset = dataset._replace(val=dataset.test)
    train, val = _features(dataset, extractor, cached)
    features = torch.cat([train, val]) if name == "train+val" else val
    energy = torch.cat([edge_energy(x) for part in parts for x in split_images(part.to("cpu"))])
    # In random order, so that each class keeps its share if only some of the images are taken.
    some = features[_order(len(features), "real")[:N_NEIGHBOURS]]
    real = Real(some.numpy(), *(part.numpy() for part in balls(some)))
    held_out = closest(val[_order(len(val), "held_out")[:N_MEMORISED]], train).sort().values
    return Reference(features, float(energy.double().mean()), real, Train(train.numpy(), held_out.numpy()))


def _order(n: int, name: str) -> Tensor:
    return random_streams.permutation(n, "cpu", 0, name)


def _features(dataset: Dataset, extractor: Extractor, cached: Path) -> tuple[Tensor, Tensor]:
    """Return the features of train and val, from the file or from a pass over the images."""
    is_large = not isinstance(extractor, SmallExtractor)
    most = MAX_TRAIN_OF_LARGE if is_large else MAX_TRAIN
    sizes = {"train": min(len(dataset.train), most), "val": len(dataset.val)}
    try:
        arrays = load_file(cached)
    except (OSError, SafetensorError):
        arrays = {}
    if {name: len(array) for name, array in arrays.items()} != sizes:
        splits = {"train": dataset.train.to("cpu"), "val": dataset.val.to("cpu")}
        device = next(extractor.parameters()).device
        arrays = {
            name: run_extractor(extractor, (x.to(device) for x in split_images(splits[name])), n).features.cpu().numpy()
            for name, n in sizes.items()
        }
        _store(arrays, cached)
    return torch.from_numpy(arrays["train"]), torch.from_numpy(arrays["val"])


def _store(arrays: dict[str, Floats], path: Path) -> None:
    with contextlib.suppress(OSError):  # if the cache cannot be written, the next sweep computes the features again
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_local_file(path, save(arrays))

"""Everything needed to score samples, as plain numpy: made once in the driver, shared with every trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.lazy_import import torch
from trainables.metrics.neighbours import K

if TYPE_CHECKING:
    from trainables.metrics.extractor import Extractor

Floats = NDArray[np.float32]
N_MEMORISED = 2_000


class Real(NamedTuple):
    """Real images that samples are compared with one by one: at most 5,000 of the reference, in random order."""

    features: Floats  # [R,F]
    nearest: Floats  # [R] from each to its nearest other one
    radius: Floats  # [R] to its k-th nearest other one


class Train(NamedTuple):
    """The training images, and how far held-out ones are from them."""

    features: Floats  # [T,F], T at most MAX_TRAIN
    held_out: Floats  # [at most N_MEMORISED] from val images to their nearest training image, ascending


class Evaluator(NamedTuple):
    """The pinned extractor, the reference statistics and the evaluation plan of a sweep."""

    weights: dict[str, Floats]  # the extractor's, by parameter name
    arch: dict[str, Any]
    extractor_id: str  # 12 hex digits of the sha256 of the weights; behind the name of a chosen net
    accuracy: float  # of the extractor on the test split, 0..1
    mean: NDArray[np.float64]  # [F] of the reference features
    cov: NDArray[np.float64]  # [F,F]
    real: Real
    train: Train
    edge_energy: float  # of the reference images; see sharpness.py
    reference: str  # "val" | "train+val" | "test"
    n_reference: int
    n_samples: int
    class_prior: NDArray[np.float64]  # [K] shares of the classes in train
    classes: tuple[str, ...]
    every: int = 1  # evaluate each `every` epochs, besides `rungs`, epoch 1 and a trial's last epoch
    rungs: tuple[int, ...] = ()
    alarm: bool = True  # whether a collapsed trial is stopped; if not, it trains on, but cannot win
    also: tuple[str, ...] = ()  # metrics measured on request, to run at a trial's last evaluation
    seed: int = 0  # the sweep's: the fixed sample noise and labels are drawn from it

    @property
    def n_neighbours(self) -> int:
        """The number of samples, and of real images, that the nearest-neighbour metrics compare."""
        return min(self.n_samples, len(self.real.features))

    @property
    def stamp(self) -> dict[str, str | int]:
        """What a metric value depends on besides the samples. Values with different stamps are never compared."""
        return {
            "extractor": self.extractor_id,
            "n_samples": self.n_samples,
            "n_reference": self.n_reference,
            "reference": self.reference,
            "n_neighbours": self.n_neighbours,
            "k": K,
            "n_train": len(self.train.features),
        }


def without_images(seed: int, every: int, rungs: tuple[int, ...]) -> Evaluator:
    """Return the evaluator of a sweep without images: it measures nothing, and says when a trial is evaluated."""
    none, no_real = np.zeros(0, np.float32), np.zeros((0, 0), np.float32)
    return Evaluator(
        weights={},
        arch={},
        extractor_id="none",
        accuracy=0.0,
        mean=np.zeros(0),
        cov=np.zeros((0, 0)),
        real=Real(no_real, none, none),
        train=Train(no_real, none),
        edge_energy=0.0,
        reference="none",
        n_reference=0,
        n_samples=0,
        class_prior=np.ones(1),
        classes=(),
        every=every,
        rungs=rungs,
        alarm=False,
        seed=seed,
    )


def load_extractor(evaluator: Evaluator, device: torch.device | str) -> Extractor:
    """Return the evaluator's extractor on `device`, frozen and in eval mode."""
    from trainables.metrics.frozen_extractor import frozen

    return frozen(evaluator.weights, evaluator.arch).to(device)

"""Train an extractor on images without labels, by instance discrimination: each of some images is a class of its own.

The net learns to recognise an image under random shifts, turns, zooms and shears, and so what makes images differ
(Dosovitskiy et al. 2014, arXiv:1406.6909; Wu et al. 2018, arXiv:1805.01978). Its features judge samples; its class
scores mean nothing, so metrics of classes are absent.
"""

from __future__ import annotations

import numpy as np

from trainables.data import Dataset
from trainables.data.dataset import Split, noise
from trainables.metrics.train_extractor import Recipe, make_recipe

N_EXEMPLARS = 512
N_TRAINED = 100_000  # images shown in all


def exemplar_set(dataset: Dataset) -> Dataset:
    """Return some of the training images, each a class; the same ones for the same data."""
    n = len(dataset.train)
    rows = np.sort(np.argsort(noise(0, n), kind="stable")[:N_EXEMPLARS])
    images, labels = np.asarray(dataset.train.pixels)[rows], np.arange(len(rows))
    again = -(-N_EXEMPLARS // len(rows))  # of a small set: an epoch is always of about N_EXEMPLARS images
    once = Split(images, labels)
    often = Split(np.concatenate([images] * again), np.concatenate([labels] * again))
    return dataset._replace(classes=tuple(map(str, range(len(rows)))), train=often, val=once, test=once)


def exemplar_recipe(n: int, size: int) -> Recipe:
    """Return how the extractor is trained on a set of n images, of size x size pixels."""
    return make_recipe(n, size)._replace(epochs=max(1, N_TRAINED // n))

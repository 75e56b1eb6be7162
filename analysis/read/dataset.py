"""The real images behind a sweep, loaded as the sweep loaded them, or left out where they are not at hand."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from analysis.read.results import Sweep
from trainables.data import Dataset, load
from trainables.errors import UserError


@lru_cache(maxsize=2)
def load_once(name: str, data_dir: str | None) -> Dataset | None:
    """A data set by name, read once; None where it is not at hand."""
    try:
        return load(name, None if data_dir is None else Path(data_dir))
    except UserError:
        return None  # a report is often made on another machine than the one that holds the data


def sweep_dataset(sweep: Sweep) -> Dataset | None:
    """The sweep's data set, the very same images (by fingerprint); None where they are not at hand."""
    found = load_once(sweep.manifest.dataset, sweep.manifest.data_dir)
    if found is None or found.fingerprint != sweep.manifest.data.fingerprint:
        return None
    return found


def class_prior(sweep: Sweep) -> list[float]:
    """The share of each class among the training images; empty where they are not at hand."""
    found = sweep_dataset(sweep)
    if found is None:
        return []
    labels = np.asarray(found.train.labels)
    shares: list[float] = (np.bincount(labels, minlength=len(found.classes)) / len(labels)).tolist()
    return shares

"""Load the data set of a sweep, if this machine has it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from analysis.read.results import Sweep
from trainables.data import Dataset, load
from trainables.errors import UserError


@lru_cache(maxsize=2)
def load_once(name: str, data_dir: str | None) -> Dataset | None:
    """Return a data set by name, read once; None if it is not available."""
    try:
        return load(name, None if data_dir is None else Path(data_dir))
    except UserError:
        return None  # a report is often made on a machine that does not have the data


def sweep_dataset(sweep: Sweep) -> Dataset | None:
    """Return the sweep's data set, checked by its fingerprint; None if exactly these images are not available."""
    data = load_once(sweep.manifest.dataset, sweep.manifest.data_dir)
    if data is None or data.fingerprint != sweep.manifest.data.fingerprint:
        return None
    return data


def class_prior(sweep: Sweep) -> list[float]:
    """Return the share of each class among the training images; an empty list if they are not available."""
    data = sweep_dataset(sweep)
    if data is None:
        return []
    labels = np.asarray(data.train.labels)
    shares: list[float] = (np.bincount(labels, minlength=len(data.classes)) / len(labels)).tolist()
    return shares

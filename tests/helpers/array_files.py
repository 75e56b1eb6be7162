"""Files of arrays for the tests of data sets."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from trainables.data import load
from trainables.data.dataset import Dataset

N = 60
RAMP = np.arange(N * 64, dtype=np.int64).reshape(N, 8, 8) % 251  # all images differ
LABELS = np.arange(N) % 3
FLOATS = (RAMP / 250).astype(np.float32)  # 0..1


def write(folder: Path, kind: str, arrays: dict[str, Any]) -> Path:
    """Write arrays by key as a file of a kind and return its path."""
    path = folder / f"set.{kind}"
    if kind == "npy":
        np.save(path, arrays["images"])
    elif kind == "npz":
        np.savez(path, **arrays)
    elif kind == "pt":
        torch.save({key: torch.as_tensor(value) for key, value in arrays.items()}, path)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            for key, value in arrays.items():
                file[key] = value
    return path


def npz(folder: Path, options: str = "", **arrays: Any) -> Dataset:
    """Return the data set of arrays that are written as an npz file."""
    return load(f"npz:{write(folder, 'npz', arrays)}{options}")

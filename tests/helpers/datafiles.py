"""Files for the tests of the data room: the real ones in GENSWEEP_DATA, and synthetic ones of the published sizes."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.data import Dataset, load
from trainables.data.mnist import FILES, Source

FILES_OF = {  # what a data set needs in GENSWEEP_DATA; those that are not here need nothing
    "mnist": "MNIST",
    "stacked_mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "kmnist": "KMNIST",
    "cifar10": "cifar-10-*",
}


def root_of(name: str) -> Path:
    """Return the folder that has the files of a data set; skip the test if there is none."""
    root = Path(os.environ.get("GENSWEEP_DATA", os.devnull))
    if not any(root.glob(FILES_OF[name])):
        pytest.skip(f"needs {FILES_OF[name]} in GENSWEEP_DATA")
    return root


def real(name: str) -> Dataset:
    """Return the data set with its published files; skip the test if they are not there."""
    return load(name, root_of(name) if name in FILES_OF else None)


def unpacked(root: Path, source: Source) -> Path:
    """Synthetic files of the published sizes, as torchvision unpacks them: image i is all i % 251, its label i % 10."""
    raw = root / source.folder / "raw"
    raw.mkdir(parents=True)
    for name, (n, header) in FILES.items():
        values = np.arange(n)
        body = np.repeat(values % 251, 28 * 28) if "images" in name else values % 10
        (raw / name).write_bytes(header + body.astype(np.uint8).tobytes())
    return raw


def blank(root: Path, source: Source) -> Path:
    """The same sizes and headers, all else zero: holes, which take no room on the disk."""
    raw = root / source.folder / "raw"
    raw.mkdir(parents=True)
    for name, (n, header) in FILES.items():
        with (raw / name).open("wb") as file:
            file.write(header)
            file.truncate(len(header) + n * (28 * 28 if "images" in name else 1))
    return raw


def listing(root: Path) -> dict[str, int]:
    """Every path under `root` and when it last changed: equal before and after means that nothing was written."""
    return {str(path): path.lstat().st_mtime_ns for path in root.rglob("*")}


def paint(root: Path, counts: dict[str, int], mode: str = "L", side: tuple[int, int] = (40, 30)) -> Path:
    """`counts[label]` images a class; image k of a class is the flat colour k, red-shifted unless grey."""
    for label, n in counts.items():
        (root / label).mkdir(parents=True)
        for k in range(n):
            Image.new(mode, side, 2 * k if mode == "L" else (2 * k + 100, 2 * k, 2 * k)).save(root / label / f"{k}.png")
    return root

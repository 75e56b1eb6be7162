"""Files for the tests of the data room: where the real ones are, and synthetic ones of the published sizes."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.data import Dataset, load
from trainables.data.mnist import FILES, Source

REAL = Path(os.environ.get("GENSWEEP_DATA", Path(__file__).parents[2] / "shared" / "data"))


FOLDERS = {"mnist": "MNIST", "stacked_mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}


def real(name: str) -> Dataset:
    """The data set, or a skip where its files are not."""
    if name in FOLDERS and not (REAL / FOLDERS[name]).is_dir():
        pytest.skip(f"the files of {name} are not in {REAL}")
    if name == "cifar10" and not any(REAL.glob("cifar-10-*")):
        pytest.skip(f"the files of {name} are not in {REAL}")
    return load(name, REAL if name != "digits" else None)


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

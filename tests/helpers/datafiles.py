"""Files for the tests of data sets: the published ones in GENSWEEP_DATA, and synthetic ones of the same sizes."""

import os
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from trainables.data import DATASETS, Dataset, load
from trainables.data.mnist import FILES, Source
from trainables.errors import UserError

NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")


class Untouchable:
    """A data directory that must not be looked into."""

    def __getattr__(self, name: str) -> Any:
        raise LookupError(name)

    def __truediv__(self, name: str) -> Any:
        raise LookupError(name)

    def __fspath__(self) -> str:
        raise LookupError("path")


@cache
def needs_files(name: str) -> bool:
    """Return whether a data set reads files: others never look at the directory that they are given."""
    root: Any = Untouchable()
    try:
        DATASETS[name](root)
    except LookupError:
        return True
    return False


def root_of(name: str) -> Path:
    """Return GENSWEEP_DATA if it has the files of a data set; skip the test otherwise."""
    real(name)
    return Path(os.environ["GENSWEEP_DATA"])


def real(name: str) -> Dataset:
    """Return the data set with its published files; skip the test if they are not there. Nothing is downloaded."""
    if not needs_files(name):
        return load(name)
    root = Path(os.environ.get("GENSWEEP_DATA", os.devnull))
    try:
        with patch.dict(os.environ, NO_NETWORK):
            return load(name, root)
    except UserError as error:
        if root.is_dir() and " is missing in " not in str(error):
            raise
    pytest.skip(f"needs the files of {name} in GENSWEEP_DATA")


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

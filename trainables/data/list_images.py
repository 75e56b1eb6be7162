"""List the image files of a folder, with what shows that one of them has changed: its size and its time.

Paths are texts here, since a hundred thousand of Python's path objects take seconds.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm")
)
OTHER_KINDS = frozenset(
    (".heic", ".heif", ".avif", ".raw", ".cr2", ".nef", ".dng", ".svg", ".dcm", ".jp2", ".psd", ".exr")
)
PASSED_OVER = ("__MACOSX", "Thumbs.db")


class ImageFile(NamedTuple):
    """A file, as it was when it was listed."""

    path: str
    n_bytes: int
    mtime_ns: int


def list_images(folder: Path) -> tuple[list[ImageFile], Counter[str]]:
    """Return the image files below a folder by name, and how many images there are of kinds that cannot be read.

    Links are followed and hidden files passed over. Raise OSError if a link leads nowhere.
    """
    images, others = [], Counter[str]()
    for entry in _files(str(folder), set()):
        suffix = entry.name[entry.name.rfind(".") :].lower()
        if suffix in SUFFIXES:
            about = entry.stat()
            images.append(ImageFile(entry.path, about.st_size, about.st_mtime_ns))
        elif suffix in OTHER_KINDS:
            others[suffix] += 1
    return images, others


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is passed over, as `.ipynb_checkpoints` and `__MACOSX` are."""
    return name.startswith(".") or name in PASSED_OVER


def _files(folder: str, known: set[str]) -> Iterator[os.DirEntry[str]]:
    """Yield the files of a folder, then those of its folders; `known` are the folders that links must not repeat."""
    real = os.path.realpath(folder)
    if real in known:
        return
    known.add(real)
    with os.scandir(folder) as entries:
        shown = sorted((entry for entry in entries if not is_hidden(entry.name)), key=lambda entry: entry.name)
    folders = {entry.name for entry in shown if entry.is_dir()}
    yield from (entry for entry in shown if entry.name not in folders)
    for name in sorted(folders):
        yield from _files(f"{folder}/{name}", known)

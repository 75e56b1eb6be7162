"""List the image files of a folder, with what shows that one of them has changed: its size and its time.

Paths are texts here, since a hundred thousand of Python's path objects take seconds.
"""

from __future__ import annotations

import os
from collections import Counter
from operator import attrgetter
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
    images: list[ImageFile] = []
    others = Counter[str]()
    _add_files(str(folder), images, others, set())
    return images, others


def class_folders(folder: Path) -> list[Path]:
    """Return the folders in a folder by name, but for hidden ones. Unlike `iterdir`, this asks for no file's status."""
    with os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in entries if not is_hidden(entry.name) and entry.is_dir())


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is passed over, as `.ipynb_checkpoints` and `__MACOSX` are."""
    return name.startswith(".") or name in PASSED_OVER


def _add_files(folder: str, images: list[ImageFile], others: Counter[str], known: set[str]) -> None:
    """Add the files of a folder, then those of its folders; `known` are the folders that links must not repeat."""
    real = os.path.realpath(folder)
    if real in known:
        return
    known.add(real)
    folders = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=attrgetter("name")):
            name = entry.name
            if is_hidden(name):
                continue
            if entry.is_dir():
                folders.append(entry.path)
            elif (suffix := name[name.rfind(".") :].lower()) in SUFFIXES:
                about = entry.stat()
                images.append(ImageFile(entry.path, about.st_size, about.st_mtime_ns))
            elif suffix in OTHER_KINDS:
                others[suffix] += 1
    for path in folders:
        _add_files(path, images, others, known)

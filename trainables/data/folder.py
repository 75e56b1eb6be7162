"""folder:PATH: a user's images, one sub-folder for each class, in the order of their names. Images are cropped to
the middle square and resized: to 28 x 28 if all are grey, to 32 x 32 in colour if one is not (by the pixels, not by the
file type). `folder:PATH?size=64` and `folder:PATH?color=grey` (or rgb) change that, also together:
`?size=64&color=grey`. Split 80 / 10 / 10 within each class. Transparency is dropped."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from trainables.data.dataset import Dataset, make, stratified, take
from trainables.errors import UserError, unknown

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"))
N_CLASS_LEAST = 10  # so that val and test hold an image of each class
SIZE_LEAST, SIZE_MOST = 4, 512
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)  # what Pillow raises


class Spec(NamedTuple):
    """The parts of a name like `folder:PATH?size=32&color=grey`; None: the images decide."""

    path: Path
    size: int | None
    color: str | None


def folder(name: str) -> Dataset:
    """Return the data set `name`, [1 or 3, size, size].

    Raise UserError, which names the file or folder, if one cannot be used.
    """
    spec = parse(name)
    files = _find(spec.path)
    paths = [path for members in files.values() for path in members]
    labels = np.repeat(np.arange(len(files)), [len(members) for members in files.values()])
    is_grey = spec.color == "grey" if spec.color else all(map(_is_grey, paths))
    size = spec.size or (28 if is_grey else 32)
    pixels = np.stack([_pixels(path, size, is_grey) for path in paths])  # [N, C, H, W]
    tenth = -(-len(labels) // 10)  # rounded up, so that a class of ten has one in each
    test, val, train = (take(pixels, labels, rows) for rows in stratified(labels, tenth, tenth))
    return make(name, files, train, val, test)


def parse(name: str) -> Spec:
    """Parse `folder:PATH[?key=value[&key=value]]`; raise UserError if it is malformed."""
    text, _, query = name.removeprefix("folder:").partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    for key in options:
        if key not in ("size", "color"):
            raise unknown("folder option", key, ("size", "color"))
    size, color = options.get("size"), options.get("color")
    if size is not None and not (size.isdecimal() and SIZE_LEAST <= int(size) <= SIZE_MOST):
        raise UserError(f"{name}: size={size} should be a whole number from {SIZE_LEAST} to {SIZE_MOST}")
    if color not in (None, "grey", "rgb"):
        raise UserError(f"{name}: color={color} should be grey or rgb")
    if not text:
        raise UserError(f"{name}: no path given: write folder:PATH, the folder that holds one folder a class")
    return Spec(Path(text).expanduser(), None if size is None else int(size), color)


def _find(path: Path) -> dict[str, list[Path]]:
    """Return the image files of each class; classes and files are in the order of their names."""
    if not path.is_dir():
        raise UserError(f"image folder {path} {'is not a directory' if path.exists() else 'does not exist'}")
    classes = [entry for entry in sorted(path.iterdir()) if entry.is_dir() and not entry.name.startswith(".")]
    if not classes:
        raise UserError(f"image folder {path} has no class folders: put the images into one sub-folder a class")
    files = {entry.name: list(_images(entry)) for entry in classes}
    for label, members in files.items():
        if len(members) < N_CLASS_LEAST:
            problem = "is empty" if not members else f"has too few images ({len(members)})"
            kinds = " ".join(sorted(SUFFIXES))
            raise UserError(f"class folder {path / label} {problem}: a class needs at least {N_CLASS_LEAST} ({kinds})")
    return files


def _images(path: Path) -> Iterator[Path]:
    return (p for p in sorted(path.rglob("*")) if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))


def _open(path: Path) -> Image.Image:
    """Return the first frame, decoded, 8 bits a channel: mode L if the file has one channel, else RGB."""
    try:
        with Image.open(path) as image:
            image.load()
            if image.mode.startswith("I"):  # 16 bits, which Pillow would clip to 8 rather than scale
                return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
            return image.convert("L" if image.mode in ("1", "L", "LA", "F") else "RGB")
    except UNREADABLE as error:
        raise UserError(f"{path} is not a readable image: {' '.join(str(error).split())}") from error


def _is_grey(path: Path) -> bool:
    image = _open(path)
    if image.mode == "L":
        return True
    red, green, blue = np.moveaxis(np.asarray(image), -1, 0)
    return np.array_equal(red, green) and np.array_equal(green, blue)


def _pixels(path: Path, size: int, is_grey: bool) -> NDArray[np.uint8]:
    """Return an image as uint8 [1 or 3, size, size]."""
    image = ImageOps.fit(_open(path).convert("L" if is_grey else "RGB"), (size, size), Image.Resampling.LANCZOS)
    return np.atleast_3d(np.asarray(image)).transpose(2, 0, 1)

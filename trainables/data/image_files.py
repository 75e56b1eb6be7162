"""Decode image files to the pixels of a data set: orientation, transparency, more than 8 bits, floats.

Files are decoded on all cores, once, and kept at their final size. What depends on the whole set comes after: whether
all images are grey, and which values of 16-bit and float images are black and white.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from trainables.data.source_name import Scale
from trainables.errors import UserError

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm")
)
OTHER_KINDS = frozenset(
    (".heic", ".heif", ".avif", ".raw", ".cr2", ".nef", ".dng", ".svg", ".dcm", ".jp2", ".psd", ".exr")
)
PASSED_OVER = ("__MACOSX", "Thumbs.db")
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)  # what Pillow raises
GREY_SIZE, COLOUR_SIZE = 28, 32  # if the user names no size
BITS = (8, 10, 12, 14, 16, 32)
WHITE = (255, 255, 255, 255)


class Decoded(NamedTuple):
    """An image at each of some sizes, uint8 [S, S, 3] or [S, S], or float32 [S, S] if it has more than 8 bits."""

    arrays: tuple[NDArray[Any], ...]
    low: float = 0.0  # of an image with more than 8 bits: its smallest and its largest value before resizing
    high: float = 0.0
    is_float: bool = False
    was_transparent: bool = False


def find_images(path: Path) -> Iterator[Path]:
    """Yield the image files below a folder by name, also behind links; hidden ones are passed over."""
    yield from (file for file in _files(path) if file.suffix.lower() in SUFFIXES)


def count_others(path: Path) -> Counter[str]:
    """Return how many images below a folder are of kinds that cannot be read, by suffix."""
    return Counter(file.suffix.lower() for file in _files(path) if file.suffix.lower() in OTHER_KINDS)


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is passed over, as `.ipynb_checkpoints` and `__MACOSX` are."""
    return name.startswith(".") or name in PASSED_OVER


def _files(path: Path) -> Iterator[Path]:
    known = set()
    for folder, folders, names in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        folders[:] = sorted(name for name in folders if not is_hidden(name)) if real not in known else []
        if real not in known:
            yield from (Path(folder) / name for name in sorted(names) if not is_hidden(name))
        known.add(real)


def decode_all(
    paths: Sequence[Path], size: int | None, color: str | None, crop: str, scale: Scale
) -> tuple[NDArray[np.uint8], list[str]]:
    """Return the images, uint8 [N, 1 or 3, S, S], and notes for the user.

    Raise UserError if a file cannot be read, or if the images hold nothing to learn.
    """
    sizes = (GREY_SIZE, COLOUR_SIZE) if size is None else (size,)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow decodes without Python's lock
        images = list(pool.map(lambda path: decode(path, sizes, crop), paths))
    is_grey = color == "grey" if color else all(map(_is_grey, images))
    which = 0 if size is not None or is_grey else 1
    deep = [image for image in images if image.arrays[0].dtype == np.float32]
    low, high, note = choose_range(deep, scale)
    pixels = np.stack([_pixels(image.arrays[which], is_grey, low, high) for image in images])
    if (pixels == pixels[:1]).all():
        what = f"every pixel is {pixels.flat[0]}" if pixels.min() == pixels.max() else "they are all the same"
        raise UserError(f"the {len(paths)} images of {paths[0].parent.parent} hold nothing to learn: {what}")
    n_clear = sum(image.was_transparent for image in images)
    clear = [f"{n_clear} images are partly transparent: they are put on white"] if n_clear else []
    return pixels, [*([note] if note else []), *clear]


def decode(path: Path, sizes: Sequence[int], crop: str) -> Decoded:
    """Return the first frame of a file as a viewer shows it; raise UserError if the file is damaged."""
    try:
        with Image.open(path) as image:
            image.load()
            return _decoded(ImageOps.exif_transpose(image), path, sizes, crop)
    except UNREADABLE as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path} is not a readable image: {' '.join(str(error).split())}") from error


def _decoded(image: Image.Image, path: Path, sizes: Sequence[int], crop: str) -> Decoded:
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image).astype(np.float32)
        if not np.isfinite(values).all():
            raise UserError(f"{path} has pixels that are nan or infinite")
        resized = tuple(np.asarray(_resized(Image.fromarray(values), size, crop)) for size in sizes)
        return Decoded(resized, float(values.min()), float(values.max()), image.mode == "F")
    transparent = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    if transparent:
        rgba = image.convert("RGBA")
        transparent = int(np.asarray(rgba)[..., 3].min()) < 255
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, WHITE), rgba) if transparent else rgba
        if image.mode == "RGBA" and np.ptp(np.asarray(image)[..., :3], axis=-1).max() == 0:
            image = image.convert("L")
    image = image.convert("L" if image.mode in ("1", "L") else "RGB")
    return Decoded(tuple(np.asarray(_resized(image, size, crop)) for size in sizes), was_transparent=transparent)


def _resized(image: Image.Image, size: int, crop: str) -> Image.Image:
    fit = ImageOps.fit if crop == "centre" else ImageOps.pad
    return fit(image, (size, size), Image.Resampling.LANCZOS)


def _is_grey(image: Decoded) -> bool:
    array = image.arrays[0]
    return array.ndim == 2 or bool(np.ptp(array, axis=-1).max() == 0)


def choose_range(deep: Sequence[Decoded], scale: Scale) -> tuple[float, float, str]:
    """Return the values of images with more than 8 bits that become black and white, and a note for the user."""
    if not deep:
        return 0.0, 255.0, ""
    low, high = min(image.low for image in deep), max(image.high for image in deep)
    n, how = len(deep), "?scale=LO,HI changes that"
    if scale.kind == "values":
        return scale.low, scale.high, ""
    if scale.kind == "percentile":
        values = np.concatenate([image.arrays[0].ravel() for image in deep])
        low, high = (float(value) for value in np.percentile(values, (scale.low, scale.high)))
    elif scale.kind == "auto" and not any(image.is_float for image in deep) and low >= 0:
        bits = next(bits for bits in BITS if high < 2**bits)
        return (
            0.0,
            float(2**bits - 1),
            f"{n} images of 16 bits hold {bits} bits: 0 is black, {2**bits - 1} is white; {how}",
        )
    elif scale.kind == "auto" and low >= 0 and high <= 1:
        return 0.0, 1.0, ""
    return low, max(high, low + 1e-12), f"{n} images of floats: {low:.4g} is black, {high:.4g} is white; {how}"


def _pixels(array: NDArray[Any], is_grey: bool, low: float, high: float) -> NDArray[np.uint8]:
    """Return an image as uint8 [1 or 3, S, S]."""
    if array.dtype == np.float32:
        array = ((array - low) / (high - low) * 255).clip(0, 255).round().astype(np.uint8)
    if is_grey and array.ndim == 3:
        array = np.asarray(Image.fromarray(array).convert("L"))
    if not is_grey and array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    return np.atleast_3d(array).transpose(2, 0, 1)

"""Decode image files to the pixels of a data set: orientation, transparency, more than 8 bits, floats.

What depends on the whole set is decided in pack_images.py: whether all images are grey, and which values of 16-bit and
float images are black and white.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from trainables.data.source_name import Scale
from trainables.errors import UserError

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


class Encoded(NamedTuple):
    """An image file that lies in a column of a table: the table's path, the row, and the file's bytes."""

    table: str
    row: int
    content: bytes

    def __str__(self) -> str:
        return f"{self.table}: image {self.row}"


def decode(path: str | Encoded, sizes: Sequence[int], crop: str) -> Decoded:
    """Return the first frame of a file as a viewer shows it; raise UserError if the file is damaged."""
    try:
        with Image.open(path if isinstance(path, str) else io.BytesIO(path.content)) as image:
            image.load()
            if image.info or image.format != "PNG":
                ImageOps.exif_transpose(image, in_place=True)
            return _decoded(image, str(path), sizes, crop)
    except UNREADABLE as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path} is not a readable image: {' '.join(str(error).split())}") from error


def _decoded(image: Image.Image, path: str, sizes: Sequence[int], crop: str) -> Decoded:
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
    mode = "L" if image.mode in ("1", "L") else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    return Decoded(tuple(np.asarray(_resized(image, size, crop)) for size in sizes), was_transparent=transparent)


def _resized(image: Image.Image, size: int, crop: str) -> Image.Image:
    if image.size == (size, size):
        return image
    fit = ImageOps.fit if crop == "centre" else ImageOps.pad
    return fit(image, (size, size), Image.Resampling.LANCZOS)


def is_grey(image: Decoded) -> bool:
    """Return whether an image has no colours, whatever its file type."""
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


def to_pixels(array: NDArray[Any], is_grey: bool, low: float, high: float) -> NDArray[np.uint8]:
    """Return an image as uint8 [1 or 3, S, S]."""
    if array.dtype == np.float32:
        array = ((array - low) / (high - low) * 255).clip(0, 255).round().astype(np.uint8)
    if is_grey and array.ndim == 3:
        array = np.asarray(Image.fromarray(array).convert("L"))
    if not is_grey and array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    return np.atleast_3d(array).transpose(2, 0, 1)

"""Turn arrays of numbers into the pixels of a data set: which axis holds the channels, which values are black and
white, size and colour. What depends on the values is decided by the whole set, and reported in a note."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from trainables.data.source_name import SIZE_LEAST, SIZE_MOST, Scale, Source
from trainables.errors import UserError

Values = NDArray[Any]
CHANNELS_MOST = 5
BITS = (8, 10, 12, 14, 16, 32)
CHUNK_BYTES = 2**26
ROWS = 1024  # images that are compared at a time
GREY = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue, as Pillow has it
DIM = 32  # integers of 8 bits that stay below this are nearly black


class Range(NamedTuple):
    """The values that are black and white, and a note for the user."""

    low: float
    high: float
    note: str = ""


def as_planes(what: str, array: Values, axes: str | None) -> Values:
    """Return an array of images as a view [N, C, H, W].

    Raise UserError, which begins with `what`, if it is not [N, H, W], [N, C, H, W] or [N, H, W, C] with 1 to 5
    channels, or if it could be either of the last two.
    """
    shape = list(array.shape)
    if array.dtype.kind not in "biuf":
        raise UserError(f"{what} holds {array.dtype} values: images are numbers")
    if array.ndim == 3:
        planes = array[:, None]
    elif array.ndim == 4:
        views = {"nchw": array, "nhwc": array.transpose(0, 3, 1, 2)}
        fitting = [key for key, view in views.items() if _has_image_shape(view) and axes in (None, key)]
        if len(fitting) > 1:
            raise UserError(f"{what} has the shape {shape}: add axes=nchw or axes=nhwc, since each could be")
        if not fitting:
            raise UserError(
                f"{what} has the shape {shape}: [N, C, H, W] or [N, H, W, C] with 1 to {CHANNELS_MOST} channels and a "
                f"side of at least {SIZE_LEAST} is needed" + (f", and axes={axes} says which" if axes else "")
            )
        planes = views[fitting[0]]
    else:
        hint = ": reshape the rows to images" if array.ndim == 2 else ""
        raise UserError(f"{what} has the shape {shape}: [N, H, W], [N, C, H, W] or [N, H, W, C] is needed{hint}")
    if min(planes.shape[2:]) < SIZE_LEAST:
        raise UserError(f"{what} has the shape {shape}: images need a side of at least {SIZE_LEAST}")
    return planes


def _has_image_shape(view: Values) -> bool:
    c, h, w = view.shape[1:]
    return bool(1 <= c <= CHANNELS_MOST and min(h, w) >= SIZE_LEAST)


def chunks(planes: Values) -> Iterator[Values]:
    """Yield the images in pieces of about 64 MB, so that a mapped file is never copied whole."""
    step = max(1, CHUNK_BYTES // max(1, planes[:1].nbytes))
    for first in range(0, len(planes), step):
        yield planes[first : first + step]


def check_finite(what: str, planes: Values) -> None:
    """Raise UserError if an image has a value that is nan or infinite."""
    if planes.dtype.kind != "f":
        return
    finite = np.concatenate([np.isfinite(part).all((1, 2, 3)) for part in chunks(planes)])
    if not finite.all():
        raise UserError(
            f"{what}: {int((~finite).sum())} of {len(planes)} images have values that are nan or infinite, first image "
            f"{int(np.flatnonzero(~finite)[0])}"
        )


def why_nothing_varies(pixels: Values) -> str:
    """Return why images [N, C, H, W] hold nothing to learn, if they are all the same; else an empty text."""
    starts = range(0, len(pixels), ROWS)  # by blocks, since the comparison of all would take as much memory as they do
    if any((pixels[start : start + ROWS] != pixels[:1]).any() for start in starts):
        return ""
    is_plain = pixels[0].min() == pixels[0].max()
    return f"every pixel is {pixels.flat[0]}" if is_plain else "they are all the same"


def choose_range(sets: Sequence[Values], scale: Scale) -> Range:
    """Return which values of images [N, C, H, W], all of one type, become black and white."""
    kind = np.result_type(*(planes.dtype for planes in sets))
    if scale.kind == "values":
        return Range(scale.low, scale.high)
    if kind == np.bool_:
        return Range(0.0, 1.0)
    parts = [part for planes in sets for part in chunks(planes)]
    low, high = float(min(part.min() for part in parts)), float(max(part.max() for part in parts))
    if scale.kind == "percentile":
        thinned = np.concatenate([part.reshape(-1)[:: 1 + sum(p.size for p in sets) // 50_000_000] for part in parts])
        low, high = (float(value) for value in np.percentile(thinned, (scale.low, scale.high)))
    elif scale.kind == "auto" and (usual := _usual_range(kind, low, high, parts)) is not None:
        return usual
    return Range(
        low, max(high, low + 1e-12), f"values from {low:.4g}, black, to {high:.4g}, white; scale=LO,HI changes that"
    )


def _usual_range(kind: np.dtype[Any], low: float, high: float, parts: Sequence[Values]) -> Range | None:
    """Return the range that values of a type usually have, if these lie in it: 0..255, 12 bits, 0..1, -1..1."""
    if low >= 0 and (kind.kind in "iu" or (1 < high <= 255 and _are_whole(parts))):
        white = 2 ** next(bits for bits in BITS if high < 2**bits or bits == BITS[-1]) - 1
        if white == 255:
            dim = f"the largest value is {high:.0f}, and 255 is white; scale=minmax makes {high:.0f} white"
            return Range(0.0, 255.0, dim if high < DIM else "")
        return Range(0.0, float(white), f"0 is black, {white} is white; scale=LO,HI changes that")
    if kind.kind == "f" and low >= 0 and high <= 1:
        return Range(0.0, 1.0)
    if kind.kind == "f" and -1 <= low < 0 < high <= 1:
        return Range(-1.0, 1.0, "-1 is black, 1 is white; scale=LO,HI changes that")
    return None


def _are_whole(parts: Sequence[Values]) -> bool:
    return all(bool((part == np.rint(part)).all()) for part in parts)


def choose_store(sets: Sequence[Values], values: Range, source: Source) -> np.dtype[Any]:
    """Return the type that pixels are stored as: uint8 if it loses nothing, else uint16 for integers, else float32."""
    if source.store is not None:
        return np.dtype(source.store)
    kind = np.result_type(*(planes.dtype for planes in sets))
    if kind == np.bool_ or all(_is_of_8_bits(part, values) for planes in sets for part in chunks(planes)):
        return np.dtype(np.uint8)
    return np.dtype(np.uint16 if kind.kind in "iu" and values.high - values.low < 2**16 else np.float32)


def _is_of_8_bits(part: Values, values: Range) -> bool:
    """Return whether values are 256 levels from black to white, as those of 8-bit images that were divided by 255."""
    if part.dtype == np.uint8 and values[:2] == (0, 255):
        return True
    levels = _in_unit_range(part, values) * 255
    return bool((np.abs(levels - np.rint(levels)) < 1e-3).all())


def _in_unit_range(part: Values, values: Range) -> NDArray[np.float32]:
    scaled = (part.astype(np.float32) - np.float32(values.low)) / np.float32(values.high - values.low)
    return scaled.clip(0, 1)


def to_pixels(planes: Values, values: Range, store: np.dtype[Any], source: Source) -> Values:
    """Return images [N, C, H, W] as pixels of the size and colour that a source names: [N, C', S, S], of type `store`.

    Raise UserError if the number of channels has no such colour, or if the images are too large.
    """
    c, h, w = planes.shape[1:]
    if source.color is not None and c not in (1, 3):
        raise UserError(f"{source.name}: color={source.color} is for images of 1 or 3 channels, and these have {c}")
    if source.size is None and max(h, w) > SIZE_MOST:
        raise UserError(f"{source.name}: images of {h} x {w} are too large: add size=64, or up to {SIZE_MOST}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = pool.map(lambda part: _chunk_pixels(part, values, store, source), chunks(planes))
        return np.concatenate(list(parts))


def _chunk_pixels(part: Values, values: Range, store: np.dtype[Any], source: Source) -> Values:
    is_stored = part.dtype == store == np.uint8 and values[:2] == (0, 255)
    x: Values = np.ascontiguousarray(part) if is_stored else _in_unit_range(part, values)
    c = x.shape[1]
    if source.color == "grey" and c == 3:
        grey = np.tensordot(x, GREY, axes=(1, 0))[:, None]
        x = np.rint(grey).astype(np.uint8) if is_stored else grey
    if source.size is not None and x.shape[2:] != (source.size, source.size):
        x = np.stack([[_resized(plane, source.size, source.crop) for plane in image] for image in x])
    x = np.repeat(x, 3, axis=1) if source.color == "rgb" and c == 1 else x
    if is_stored or store == np.float32:
        return x if is_stored else x.clip(0, 1).astype(np.float32)
    levels: Values = np.rint(x.clip(0, 1) * np.iinfo(store).max).astype(store)
    return levels


def _resized(plane: Values, size: int, crop: str) -> Values:
    fit = ImageOps.fit if crop == "centre" else ImageOps.pad
    return np.asarray(fit(Image.fromarray(plane), (size, size), Image.Resampling.LANCZOS))

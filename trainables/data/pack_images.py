"""Decode many image files into one array, which may be a mapped file.

Files are decoded on all cores, straight to their rows of the array. Whether they are grey is guessed from the first
one; if a later one has colours, decoding starts again. Which values of images with more than 8 bits are black and white
depends on the whole set, so these are scaled at the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.data.array_pixels import why_nothing_varies
from trainables.data.image_cache import Allocate
from trainables.data.image_files import (
    COLOUR_SIZE,
    GREY_SIZE,
    Decoded,
    Encoded,
    choose_range,
    decode,
    is_grey,
    to_pixels,
)
from trainables.data.source_name import Scale
from trainables.errors import UserError

CHUNK = 64  # files that a thread decodes at a time


class Chunk(NamedTuple):
    """What is known of some decoded images."""

    n_clear: int  # partly transparent ones
    deep: dict[int, Decoded]  # those with more than 8 bits, by row
    has_colour: bool


def decode_all(
    paths: Sequence[str | Encoded], size: int | None, color: str | None, crop: str, scale: Scale, allocate: Allocate
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return the images, uint8 [N, 1 or 3, S, S] in an array of `allocate`, and notes for the user.

    Raise UserError if a file cannot be read, or if the images hold nothing to learn.
    """
    grey = color == "grey" if color else is_grey(decode(paths[0], (size or GREY_SIZE,), crop))
    chunks: list[Chunk] = []
    while True:
        side = size or (GREY_SIZE if grey else COLOUR_SIZE)
        pixels = allocate("pixels.npy", (len(paths), 1 if grey else 3, side, side), np.uint8)
        for chunk in _chunks(paths, side, crop, pixels):
            if grey and not color and chunk.has_colour:
                break
            chunks.append(chunk)
        else:
            break
        grey, chunks = False, []
    deep = {row: image for chunk in chunks for row, image in chunk.deep.items()}
    low, high, note = choose_range(list(deep.values()), scale)
    for row, image in deep.items():
        pixels[row] = to_pixels(image.arrays[0], grey, low, high)
    if why := why_nothing_varies(pixels):
        where = Path(paths[0]).parent.parent if isinstance(paths[0], str) else paths[0].table
        raise UserError(f"the {len(paths)} images of {where} hold nothing to learn: {why}")
    n_clear = sum(chunk.n_clear for chunk in chunks)
    clear = f"{n_clear} images are partly transparent: they are put on white" if n_clear else ""
    return pixels, tuple(filter(None, (note, clear)))


def _chunks(paths: Sequence[str | Encoded], size: int, crop: str, pixels: NDArray[Any]) -> Iterator[Chunk]:
    """Decode the files to the rows of `pixels`, on all cores; yield what is known of them, in order."""

    target = np.asarray(pixels)  # a row of np.memmap costs more than the copy into it
    is_packed_grey = pixels.shape[1] == 1

    def decode_chunk(start: int) -> Chunk:
        n_clear, has_colour, deep = 0, False, {}
        for row, path in enumerate(paths[start : start + CHUNK], start):
            image = decode(path, (size,), crop)
            n_clear += image.was_transparent
            has_colour = has_colour or (is_packed_grey and not is_grey(image))
            if image.arrays[0].dtype == np.float32:
                deep[row] = image
            else:
                target[row] = to_pixels(image.arrays[0], is_packed_grey, 0.0, 255.0)
        return Chunk(n_clear, deep, has_colour)

    pool = ThreadPoolExecutor(os.cpu_count())  # Pillow decodes without Python's lock
    try:
        yield from pool.map(decode_chunk, range(0, len(paths), CHUNK))
    finally:
        pool.shutdown(cancel_futures=True)

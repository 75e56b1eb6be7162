"""Convert images: floats to uint8, many small images to one sheet, a sheet to PNG. Legend: n images, C H W image."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainables.lazy_import import Tensor, torch

Pixels = NDArray[np.uint8]


def to_uint8(images: Tensor) -> Tensor:
    """Return float images in [0, 1] as uint8, of the same shape and on the same device.

    Values outside [0, 1] are clamped: a cast alone would wrap them round.
    """
    return (images.clamp(0, 1) * 255).round().to(torch.uint8)


def as_shown(pixels: Pixels) -> Pixels:
    """Return images [n, C, H, W] as they can be shown: [n, 3, H, W], the first three channels, or [n, 1, H, W], the
    first one as grey if there are two."""
    return pixels[:, : n_shown(pixels.shape[1])]


def n_shown(channels: int) -> int:
    """Return how many of an image's channels a picture shows."""
    return 3 if channels >= 3 else 1


def describe_shown(channels: int) -> str:
    """Return which of an image's channels a picture shows, in words; empty if all."""
    which = {2: "the first of 2 channels, as grey"}
    return "" if channels in (1, 3) else which.get(channels, f"the first 3 of {channels} channels, as colours")


def make_sheet(pixels: Pixels, columns: int, gap: int = 0, fill: int = 255) -> Pixels:
    """Return images [n, C, H, W] row by row as one picture [H', W', C'].

    `gap` pixels of the value `fill` separate the images; the rest of the last row has that value too. C' is 1 or 3:
    of images with another number of channels see `as_shown`.
    """
    pixels = as_shown(pixels)
    n, c, h, w = pixels.shape
    rows, h, w = -(-n // columns), h + gap, w + gap
    cells = np.full((rows * columns, c, h, w), fill, np.uint8)
    cells[:n, :, : h - gap, : w - gap] = pixels
    picture = cells.reshape(rows, columns, c, h, w).transpose(0, 3, 1, 4, 2).reshape(rows * h, columns * w, c)
    return picture[: rows * h - gap, : columns * w - gap]


def encode_png(picture: Pixels, optimize: bool = False) -> bytes:
    """Return a picture [H, W, C] as PNG, grey if C is 1. `optimize` makes a smaller file and takes longer."""
    stream = io.BytesIO()
    Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture).save(stream, "png", optimize=optimize)
    return stream.getvalue()

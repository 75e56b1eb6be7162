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


def make_sheet(pixels: Pixels, columns: int, gap: int = 0, fill: int = 255) -> Pixels:
    """Return images [n, C, H, W] row by row as one picture [H', W', C].

    `gap` pixels of the value `fill` separate the images; the rest of the last row has that value too.
    """
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

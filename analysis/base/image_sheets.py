"""Split sheets of small images, make them, and encode them as PNG.

In the shapes, n is the number of images; C, H and W are those of an image. All pixels are uint8.
"""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def split_sheet(content: bytes, shape: tuple[int, int, int]) -> Pixels:
    """Return the images [n, C, H, W] of a PNG sheet without gaps, row by row.

    Raise ValueError if the sheet cannot be divided into images of `shape`.
    """
    c, h, w = shape
    with Image.open(io.BytesIO(content)) as image:
        sheet_pixels = np.asarray(image.convert("L" if c == 1 else "RGB"))
    rows, columns = sheet_pixels.shape[0] // h, sheet_pixels.shape[1] // w
    return sheet_pixels.reshape(rows, h, columns, w, c).transpose(0, 2, 4, 1, 3).reshape(rows * columns, c, h, w)


def make_sheet(pixels: Pixels, columns: int, gap: int = 0) -> Pixels:
    """Return images [n, C, H, W] as one picture [H', W', C], row by row.

    `gap` white pixels lie between the images. The unused end of the last row is white.
    """
    n, c, h, w = pixels.shape
    rows, h, w = -(-n // columns), h + gap, w + gap
    full = np.full((rows * columns, c, h, w), 255, np.uint8)
    full[:n, :, : h - gap, : w - gap] = pixels
    picture = full.reshape(rows, columns, c, h, w).transpose(0, 3, 1, 4, 2).reshape(rows * h, columns * w, c)
    return picture[: rows * h - gap, : columns * w - gap]


def encode_png(picture: Pixels) -> bytes:
    """Return a picture [H, W, C] as PNG; it is grey if C = 1."""
    stream = io.BytesIO()
    Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture).save(stream, "png", optimize=True)
    return stream.getvalue()


def data_uri(png: bytes) -> str:
    """Return a PNG as a data URI, so that a page needs no other file."""
    return "data:image/png;base64," + base64.b64encode(png).decode()

"""Sheets of small images: cut apart, put together, turned into PNG. Legend: n images, C H W image, uint8 throughout."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def split_sheet(content: bytes, shape: tuple[int, int, int]) -> Pixels:
    """The images of a PNG sheet without gaps, row by row: [n, C, H, W]. ValueError where `shape` does not divide it."""
    c, h, w = shape
    with Image.open(io.BytesIO(content)) as image:
        sheet_of = np.asarray(image.convert("L" if c == 1 else "RGB"))
    rows, columns = sheet_of.shape[0] // h, sheet_of.shape[1] // w
    return sheet_of.reshape(rows, h, columns, w, c).transpose(0, 2, 4, 1, 3).reshape(rows * columns, c, h, w)


def make_sheet(pixels: Pixels, columns: int, gap: int = 0) -> Pixels:
    """Images [n, C, H, W] row by row as one picture [H', W', C], with `gap` white pixels between them; what is left of
    the last row is white."""
    n, c, h, w = pixels.shape
    rows, h, w = -(-n // columns), h + gap, w + gap
    full = np.full((rows * columns, c, h, w), 255, np.uint8)
    full[:n, :, : h - gap, : w - gap] = pixels
    picture = full.reshape(rows, columns, c, h, w).transpose(0, 3, 1, 4, 2).reshape(rows * h, columns * w, c)
    return picture[: rows * h - gap, : columns * w - gap]


def encode_png(picture: Pixels) -> bytes:
    """A picture [H, W, C] as PNG, grey for C = 1."""
    stream = io.BytesIO()
    Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture).save(stream, "png", optimize=True)
    return stream.getvalue()


def data_uri(png: bytes) -> str:
    """Return a PNG as a data URI, for a page that needs no other file."""
    return "data:image/png;base64," + base64.b64encode(png).decode()

"""Split sheets of small images, make them, and encode them as PNG.

In the shapes, n is the number of images; C, H and W are those of an image. All pixels are uint8.
"""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from trainables import images
from trainables.images import Pixels, as_shown, describe_shown, make_sheet, n_shown

__all__ = ["Pixels", "as_shown", "data_uri", "describe_shown", "encode_png", "make_sheet", "split_sheet"]


def split_sheet(content: bytes, shape: tuple[int, int, int]) -> Pixels:
    """Return the images [n, C', H, W] of a PNG sheet without gaps, row by row; C' of their channels were shown.

    Raise ValueError if the sheet cannot be divided into images of `shape`.
    """
    c, h, w = n_shown(shape[0]), *shape[1:]
    with Image.open(io.BytesIO(content)) as image:
        sheet_pixels = np.asarray(image.convert("L" if c == 1 else "RGB"))
    rows, columns = sheet_pixels.shape[0] // h, sheet_pixels.shape[1] // w
    return sheet_pixels.reshape(rows, h, columns, w, c).transpose(0, 2, 4, 1, 3).reshape(rows * columns, c, h, w)


def encode_png(picture: Pixels) -> bytes:
    """Return a picture [H, W, C] as a small PNG, grey if C is 1."""
    return images.encode_png(picture, optimize=True)


def data_uri(png: bytes) -> str:
    """Return a PNG as a data URI, so that a page needs no other file."""
    return "data:image/png;base64," + base64.b64encode(png).decode()

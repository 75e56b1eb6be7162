"""parabola: points of the curve y = x^2 for x in [-1, 1], each an image of two pixels, x and y: [1, 1, 2], no download.

In this plane one can watch a denoising autoencoder pull points back to the data (Alain & Bengio 2014,
arXiv:1211.4246, figure 5, do so on a spiral). Pixel values are (x + 1) / 2 and y on the grid of 256 levels. Classes are
the branches left and right of the vertex. 25,000 / 5,000 / 5,000 points, evenly spaced."""

from pathlib import Path

import numpy as np

from trainables.data.dataset import Dataset, Split, make

N_TRAIN, N_HELD_OUT = 25_000, 5_000


def curve(n: int) -> Split:
    """Return n points with x evenly from -1 to 1, in a shuffled order that is always the same."""
    x = np.linspace(-1, 1, n)[np.argsort(np.random.Philox(n).random_raw(n), kind="stable")]
    pixels = np.rint(255 * np.stack([(x + 1) / 2, x**2], 1)).astype(np.uint8)
    return Split(np.ascontiguousarray(pixels.reshape(n, 1, 1, 2)), (x > 0).astype(np.int64))


def parabola(root: Path) -> Dataset:
    """Return the data set [1, 1, 2]; `root` is not used."""
    train, val, test = curve(N_TRAIN), curve(N_HELD_OUT), curve(N_HELD_OUT)
    return make("parabola", ("left", "right"), train, val, test)

"""stacked_mnist: three MNIST digits as the red, green and blue plane of one image, 1,000 modes (Srivastava et al. 2017,
arXiv:1705.07761, section 4; Metz et al. 2017, arXiv:1611.02163). Label 100 r + 10 g + b: the red digit is the hundreds.
A split stores MNIST's pictures once, and which three make each image. The draw is fixed, and a split draws only from
MNIST's split of that name. train has the papers' 128,000 images; the 5,000 and 10,000 of val and test are ours."""

from pathlib import Path

import numpy as np

from trainables.data.dataset import Dataset, Split, make, noise
from trainables.data.mnist import mnist

N_TRAIN, N_VAL, N_TEST = 128_000, 5_000, 10_000


def stacked_mnist(root: Path) -> Dataset:
    """Return the data set [3, 28, 28], with the classes "000" to "999"."""
    grey = mnist(root)
    train, val, test = _stack(grey.train, N_TRAIN, 1), _stack(grey.val, N_VAL, 2), _stack(grey.test, N_TEST, 3)
    return make("stacked_mnist", (f"{k:03d}" for k in range(1000)), train, val, test)


def _stack(grey: Split, n: int, seed: int) -> Split:
    """Return n images of three pictures each, drawn from `grey` with replacement."""
    planes = (noise(seed, 3 * n) % np.uint64(len(grey))).astype(np.int64).reshape(n, 3)
    return Split(grey.pixels, np.asarray(grey.labels)[planes] @ np.array([100, 10, 1]), planes)

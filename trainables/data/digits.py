"""digits: the 1,797 real 8 x 8 handwritten digits of scikit-learn (Alpaydin & Kaynak 1998, UCI), no download.
Its grey levels 0..16 are stretched to 0..255. Split 1,257 / 180 / 360, stratified."""

from importlib.metadata import distribution
from pathlib import Path

import numpy as np

from trainables.data.dataset import Dataset, make, stratified, take

N_VAL, N_TEST = 180, 360


def digits(root: Path) -> Dataset:
    """Return the data set [1, 8, 8]; `root` is not used."""
    # the file that load_digits reads: importing scikit-learn, and SciPy's statistics with it, takes seconds
    file = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    table = np.loadtxt(str(file), delimiter=",")
    pixels = np.rint(table[:, :-1].reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
    labels = table[:, -1].astype(np.int64)
    test, val, train = (take(pixels, labels, rows) for rows in stratified(labels, N_TEST, N_VAL))
    return make("digits", map(str, range(10)), train, val, test)

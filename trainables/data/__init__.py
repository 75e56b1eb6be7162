"""The data sets: a file for each family, and `load`, which loads one by name. A loader takes the data directory and
returns a `Dataset` of numpy arrays; a new data set needs a function and a line of `DATASETS`."""

from collections.abc import Callable
from pathlib import Path

from trainables.data.cifar10 import cifar10
from trainables.data.dataset import Dataset, Split, limited
from trainables.data.digits import digits
from trainables.data.download import data_root
from trainables.data.folder import folder
from trainables.data.mnist import fashion_mnist, kmnist, mnist
from trainables.data.parabola import parabola
from trainables.data.stacked_mnist import stacked_mnist
from trainables.errors import UserError, unknown

__all__ = ["DATASETS", "Dataset", "Loader", "Split", "known", "limited", "load"]

Loader = Callable[[Path], Dataset]

DATASETS: dict[str, Loader] = {
    "digits": digits,
    "mnist": mnist,
    "fashion_mnist": fashion_mnist,
    "kmnist": kmnist,
    "cifar10": cifar10,
    "stacked_mnist": stacked_mnist,
    "parabola": parabola,
}


def known(name: str) -> None:
    """Raise UserError unless a data set of this name exists."""
    if name not in DATASETS and not name.startswith("folder:"):
        raise unknown("data set", name, (*DATASETS, "folder:PATH"))


def load(name: str, data_dir: Path | None = None) -> Dataset:
    """Return the data set `name`: one of `DATASETS`, or `folder:PATH` (see folder.py).

    Its files are read from `data_dir`, else from GENSWEEP_DATA, else from the user's cache, and downloaded there if
    they are missing. Raise UserError, which names the file, if one cannot be used.
    """
    known(name)
    try:
        if name.startswith("folder:"):
            return folder(name)
        return DATASETS[name](data_root(data_dir))
    except OSError as error:
        raise UserError(f"{name}: {error.filename} cannot be read: {error.strerror}") from error

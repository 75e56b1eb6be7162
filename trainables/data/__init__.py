"""The data sets: a file a family, and `load`, which loads one by name. A loader takes the data directory and returns a
`Dataset` of numpy arrays; adding a data set is one function and one line of `_FILES`.

The files are imported when a data set is loaded, so that `--help` can name the data sets without waiting for numpy.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.data.source_name import forms, function_of, kind_of, load_source
from trainables.errors import UserError, unknown
from trainables.lazy_import import Registry

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset, Split, limited

__all__ = ["DATASETS", "Dataset", "Loader", "Split", "known", "limited", "load"]

Loader = Callable[[Path], "Dataset"]

_FILES = {  # data set -> the file that has a function of its name
    "digits": "digits",
    "mnist": "mnist",
    "fashion_mnist": "mnist",
    "kmnist": "mnist",
    "cifar10": "cifar10",
    "stacked_mnist": "stacked_mnist",
    "parabola": "parabola",
    "none": "no_images",
}


def _loader(name: str) -> Loader:
    loader: Loader = getattr(import_module(f"trainables.data.{_FILES[name]}"), name)
    return loader


DATASETS: Mapping[str, Loader] = Registry(tuple(_FILES), _loader)


def __getattr__(name: str) -> Any:
    if name not in ("Dataset", "Split", "limited"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("trainables.data.dataset"), name)


def known(name: str) -> None:
    """Raise UserError if no data set has this name."""
    if name not in DATASETS and kind_of(name) is None and function_of(name) is None:
        raise unknown("data set", name, (*DATASETS, *forms()))


def load(name: str, data_dir: Path | None = None) -> "Dataset":
    """Return the data set `name`: one of `DATASETS`, or files of the user's (see source_name.py).

    The files of `DATASETS` are searched for in `data_dir`, else in GENSWEEP_DATA, else in the user's cache, and
    downloaded there if they are missing.

    Raises:
        UserError: the name is unknown, or a file, which the message names, cannot be used.
    """
    from trainables.data.download import data_root

    known(name)
    try:
        if kind_of(name) is not None:
            return load_source(name)
        if function_of(name) is not None:
            from trainables.data.function_source import load_function

            return load_function(name, data_dir)
        return DATASETS[name](data_root(data_dir))
    except OSError as error:
        raise UserError(f"{name}: {error.filename} cannot be read: {error.strerror}") from error

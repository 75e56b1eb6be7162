"""Trainables: each trains a model by a configuration and yields rows, samples and checkpoints.

``TRAINABLES[name](config, data, seed, state=None)`` is a generator of ``Epoch``, one for each pass over the training
images. A model's file is imported when the model is looked up. Nothing here depends on the search or the reports.
"""

from collections.abc import Callable, Generator, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainables.lazy_import import Registry

if TYPE_CHECKING:
    from trainables.engine.interface import Model
    from trainables.engine.loop import Epoch
    from trainables.engine.state import Data

__all__ = ["MODELS", "TRAINABLES", "Data", "Epoch", "Model"]


def _model(name: str) -> "Model":
    model: Model = import_module(f"trainables.{name}").MODEL
    return model


def _trainable(name: str) -> "Callable[..., Generator[Epoch]]":
    from trainables.engine.loop import train

    return partial(train, MODELS[name])


MODELS: "Mapping[str, Model]" = Registry(
    (
        "ae",
        "dae",
        "vae",
        "cvae",
        "gan",
        "cgan",
    ),
    _model,
)
TRAINABLES: "Mapping[str, Callable[..., Generator[Epoch]]]" = Registry(tuple(MODELS), _trainable)


if not TYPE_CHECKING:  # a type checker would take any name as defined

    def __getattr__(name: str) -> Any:
        modules = {"Data": "state", "Epoch": "loop", "Model": "interface"}
        if name not in modules:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"trainables.engine.{modules[name]}"), name)

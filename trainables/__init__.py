"""Trainables: a configuration in; rows, samples and checkpoints out. Knows nothing of search or reports.

``TRAINABLES[name](config, data, seed, state=None)`` is a generator of ``Epoch``, one a pass over the training images.
"""

from collections.abc import Callable, Generator
from functools import partial

from trainables import ae, cgan, cvae, dae, gan, vae
from trainables.engine.loop import Epoch, train
from trainables.engine.model import Model
from trainables.engine.run import Data

__all__ = ["MODELS", "TRAINABLES", "Data", "Epoch", "Model"]

MODELS: dict[str, Model] = {
    "ae": ae.MODEL,
    "dae": dae.MODEL,
    "vae": vae.MODEL,
    "cvae": cvae.MODEL,
    "gan": gan.MODEL,
    "cgan": cgan.MODEL,
}
TRAINABLES: dict[str, Callable[..., Generator[Epoch]]] = {name: partial(train, model) for name, model in MODELS.items()}

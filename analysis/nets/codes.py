"""Encode held-out images with a trial's encoder, from the weights of its best evaluated epoch.

The code of an image is its mean code. If a model's code also depends on a label (cvae), an image alone has no code.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.nets import rebuild
from analysis.read import dataset
from analysis.read.results import Sweep
from trainables.errors import UserError

IMAGES = 2000  # with more, the points of the figure hide each other


class Codes(NamedTuple):
    z: NDArray[np.float32]  # [n, Z]
    labels: NDArray[np.int64]  # [n]
    classes: list[str]


def encode_held_out(sweep: Sweep, number: int) -> Codes:
    """Return the codes of the first held-out images.

    Raise UserError if the weights or the images are not available, or if the model has no codes.
    """
    nets, data = rebuild.load_nets(sweep, number), dataset.sweep_dataset(sweep)
    encode = sweep.manifest.trainable.encode
    if encode is None:
        raise UserError(f"{sweep.manifest.model} gives an image alone no code: {sweep.place.name!r} has none to show")
    if data is None:
        raise UserError(f"the images of {sweep.place.name!r} ({sweep.manifest.dataset}) are not at hand")
    x, y = data.val.to("cpu").gather(torch.arange(min(len(data.val), IMAGES)), torch.device("cpu"))
    with torch.no_grad():
        z = encode(nets, x)
    return Codes(z.numpy(), y.numpy(), list(data.classes))

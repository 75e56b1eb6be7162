"""The codes of held-out images under a trial's encoder, from the weights of its best evaluated epoch.

The code of an image is its mean code. A model whose code depends on a label as well (cvae) has none for an image alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.nets import rebuild
from analysis.read import dataset
from analysis.read.results import Sweep
from trainables import MODELS
from trainables.errors import UserError

IMAGES = 2000  # more only blacken a page


class Codes(NamedTuple):
    z: NDArray[np.float32]  # [n, Z]
    labels: NDArray[np.int64]  # [n]
    classes: list[str]


def encode_held_out(sweep: Sweep, number: int) -> Codes:
    """The codes of the first held-out images. UserError where weights or images are not at hand, or the model has no
    codes."""
    nets, found = rebuild.load_nets(sweep, number), dataset.sweep_dataset(sweep)
    encode = MODELS[sweep.manifest.model].encode
    if encode is None:
        raise UserError(f"{sweep.manifest.model} gives an image alone no code: {sweep.place.name!r} has none to show")
    if found is None:
        raise UserError(f"the images of {sweep.place.name!r} ({sweep.manifest.dataset}) are not at hand")
    x, y = found.val.to("cpu").gather(torch.arange(min(len(found.val), IMAGES)), torch.device("cpu"))
    with torch.no_grad():
        z = encode(nets, x)
    return Codes(z.numpy(), y.numpy(), list(found.classes))

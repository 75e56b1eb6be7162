"""The codes of held-out images under a trial's encoder, from the weights of its best evaluated epoch.

The code of an image is its mean code: both autoencoders' encoders give the means first (the VAE's log variances come
behind them), so the first `latent_dim` outputs are read alike for both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from analysis import runs, sample, source
from analysis.runs import Sweep
from trainables.errors import BadInput

IMAGES = 2000  # more only blacken a page


class Codes(NamedTuple):
    z: NDArray[np.float32]  # [n, Z]
    labels: NDArray[np.int64]  # [n]
    classes: list[str]


def codes(sweep: Sweep, number: int) -> Codes:
    """The codes of the first held-out images. BadInput where weights or images are not at hand, or the model has no
    codes."""
    nets, found = sample.nets(sweep, number), source.dataset(sweep)
    if "encoder" not in nets:
        raise BadInput(f"{sweep.meta['model']} has no encoder, so trial {number} of {sweep.place.name!r} has no codes")
    if found is None:
        raise BadInput(f"the images of {sweep.place.name!r} ({sweep.meta['dataset']}) are not at hand")
    width = runs.trial(sweep, number).config["latent_dim"]
    x, y = found.val.to("cpu").gather(torch.arange(min(len(found.val), IMAGES)), torch.device("cpu"))
    with torch.no_grad():
        z = nets["encoder"](x)[:, :width]
    return Codes(z.numpy(), y.numpy(), list(found.classes))

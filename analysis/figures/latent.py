"""Where the images of each class lie in a two-number code: only for autoencoders with `latent_dim` 2.

The point of an image is its mean code. Both autoencoders' encoders give the means first (the VAE's log variances come
behind them), so the first two outputs are read alike for both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis import best, runs, sample, source
from analysis.figures import style
from analysis.runs import Sweep
from trainables.errors import BadInput

TITLE = "The two-number code"
POINTS = 2000  # more only blacken the page


class Latent(NamedTuple):
    codes: NDArray[np.float32]  # [n, 2]
    labels: NDArray[np.int64]  # [n]
    classes: list[str]


def data(sweep: Sweep) -> list[Latent]:
    number = int(best.ranked(sweep)["number"].iloc[0])
    config = runs.trial(sweep, number).config
    if config.get("latent_dim") != 2:  # a model without the key has no code
        return []
    try:
        nets, found = sample.nets(sweep, number), source.dataset(sweep)
    except BadInput:
        return []  # weights that are lost or unfit cost the page this figure, not the page
    if "encoder" not in nets or found is None:
        return []
    x, y = found.val.to("cpu").gather(torch.arange(min(len(found.val), POINTS)), torch.device("cpu"))
    with torch.no_grad():
        codes = nets["encoder"](x)[:, :2]
    return [Latent(codes.numpy(), y.numpy(), list(found.classes))]


def ink(info: Latent, ax: Axes) -> Axes:
    for k, name in enumerate(info.classes):
        mine = info.codes[info.labels == k]
        if not len(mine):
            continue
        color = style.CLASSES[k % len(style.CLASSES)]
        ax.plot(mine[:, 0], mine[:, 1], "o", ms=2.4, mew=0, color=color, alpha=0.7)
        middle = np.median(mine, axis=0)
        frame = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": color, "lw": 1.2, "alpha": 0.9}
        ax.text(middle[0], middle[1], name, fontsize=8, ha="center", va="center", color=style.INK, bbox=frame, zorder=5)
    return style.tidy(ax, "first number of the code", "second number of the code")


def look(infos: list[Latent]) -> str:
    (info,) = infos
    return (
        f"Each dot is one of {len(info.codes):,} held-out images, its class named at the middle of its cloud. Clouds "
        "that lie apart are classes the code tells apart; it was never shown a label."
    )

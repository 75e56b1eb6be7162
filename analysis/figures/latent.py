"""Draw the two-number codes of the images by class. Only for autoencoders with `latent_dim` 2."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from analysis.figures import style
from analysis.nets import codes
from analysis.nets.codes import Codes
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep import ranking
from trainables.errors import UserError

TITLE = "The two-number code"
SIZE = (style.WIDTH, 4.2)  # inches


def data(sweep: Sweep) -> list[Codes]:
    number = ranking.winner(sweep)
    if results.read_trial(sweep, number).config.get("latent_dim") != 2:  # a model without the key has no code
        return []
    try:
        return [codes.encode_held_out(sweep, number)]
    except UserError:
        return []  # if weights are lost, the page lacks this figure only


def draw(info: Codes, ax: Axes) -> Axes:
    for k, name in enumerate(info.classes):
        mine = info.z[info.labels == k]
        if not len(mine):
            continue
        color = style.CLASSES[k % len(style.CLASSES)]
        ax.plot(mine[:, 0], mine[:, 1], "o", ms=2.4, mew=0, color=color, alpha=0.7)
        middle = np.median(mine, axis=0)
        frame = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": color, "lw": 1.2, "alpha": 0.9}
        ax.text(
            middle[0], middle[1], name, fontsize=8, ha="center", va="center", color=style.TEXT, bbox=frame, zorder=5
        )
    return style.label_axes(ax, "first number of the code", "second number of the code")


def caption(infos: list[Codes]) -> str:
    (info,) = infos
    return (
        f"Each dot is one of {len(info.z):,} held-out images, its class named at the middle of its cloud. Clouds "
        "that lie apart are classes that the code separates; the model never saw a label."
    )

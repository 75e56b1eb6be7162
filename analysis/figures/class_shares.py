"""Draw the share of each class among the winner's samples, beside that in the training images.

The pinned extractor predicts the class of each sample. "Effective modes" is the exponential of the histogram's entropy
(nats), so K equally frequent classes count as K.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from analysis.figures import style
from analysis.read import dataset, results
from analysis.read.results import Sweep
from analysis.sweep import ranking

TITLE = "What the winner draws"
MAX_NAMED = 40  # class names that fit; above this the bars are sorted and stay nameless


class ClassShares(NamedTuple):
    names: list[str]
    shares: list[float]  # of the winner's samples, sums to 1
    prior: list[float]  # of the training images; empty if the data are not available
    modes: float


def data(sweep: Sweep) -> list[ClassShares]:
    trial = results.read_trial(sweep, ranking.winner(sweep))
    if trial.best is None or "class_shares" not in trial.best:
        return []  # a model that does not sample has no histogram
    shares, names = list(trial.best["class_shares"]), list(sweep.manifest.data.classes)
    return [ClassShares(names, shares, dataset.class_prior(sweep), float(trial.best["modes"]))]


def draw(info: ClassShares, ax: Axes) -> Axes:
    shares, prior = np.array(info.shares), np.array(info.prior)
    if len(info.names) > MAX_NAMED:
        ax.plot(100 * np.sort(shares)[::-1], color=style.WINNER, lw=1.6, label="samples of the winner")
        if len(prior):
            ax.plot(100 * np.sort(prior)[::-1], color=style.REFERENCE, lw=1, ls="--", label="training images")
        ax.legend(fontsize=7.5, frameon=False)
        return style.label_axes(ax, "classes, most drawn first", "share, %")
    rows = np.arange(len(shares))
    ax.barh(rows, 100 * shares, height=0.66, color=style.WINNER, alpha=0.85, label="samples of the winner")
    if len(prior):
        ax.plot(100 * prior, rows, "|", ms=11, mew=2, color=style.REFERENCE, label="training images")
    ax.set_yticks(rows, info.names)
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.legend(fontsize=7.5, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=2, borderaxespad=0)
    ax.spines["left"].set_visible(False)
    style.label_axes(ax, "share of the images, %", "")
    ax.tick_params(axis="y", length=0, labelcolor=style.TEXT)
    return ax


def caption(infos: list[ClassShares]) -> str:
    (info,) = infos
    order = np.argsort(info.shares)
    rare, common = int(order[0]), int(order[-1])
    return (
        "If a bar is shorter than its tick, the winner generates too few images of that class. "
        f"Rarest: {info.names[rare]!r} "
        f"({info.shares[rare]:.1%}), most frequent {info.names[common]!r} ({info.shares[common]:.1%}). "
        f"That makes {info.modes:.1f} effective modes of {len(info.names)}."
    )

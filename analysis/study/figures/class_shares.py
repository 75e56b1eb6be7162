"""Draw the share of each class among an arm's samples, beside that in the training images.

A share is the mean over the seeds, with its interval.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.base.paired_tests import interval
from analysis.figures import style
from analysis.read import dataset
from analysis.study.study_results import Arm

TITLE = "What the arms draw, by class"
ACROSS = 4  # panels in a row


class Shares(NamedTuple):
    """One arm: `mean`, `low` and `high` [K] over the seeds; `prior` [K] of the training images, empty if unknown."""

    arm: str
    classes: list[str]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    prior: list[float]


def data(arms: list[Arm], argument: str) -> list[Shares]:
    """Return the shares of the arms that sample.

    If there are too few seeds for an interval, `low` and `high` are the lowest and the highest seed.
    """
    return [shares for arm in arms if (shares := _shares(arm)) is not None]


def _shares(arm: Arm) -> Shares | None:
    rows = [row for trial in arm.trials if (row := arm.row(trial)) is not None and "class_shares" in row]
    if not rows:
        return None
    shares = np.array([row["class_shares"] for row in rows])  # [seeds, K]
    ends = np.array([interval(column) for column in shares.T])
    lacking = np.isnan(ends)
    ends[lacking] = np.stack([shares.min(0), shares.max(0)], 1)[lacking]
    names = [str(name) for name in arm.sweep.manifest.data.classes]
    return Shares(
        arm.name, names, shares.mean(0), ends[:, 0].clip(0), ends[:, 1].clip(max=1), dataset.class_prior(arm.sweep)
    )


def draw(info: list[Shares]) -> Figure:
    across = min(ACROSS, len(info))
    down = -(-len(info) // across)
    figure = style.new_figure(2.1 * across + 1.0, 2.9 * down)
    grid = figure.subplots(down, across, sharey=True, sharex=True, squeeze=False)
    for ax, shares in zip(grid.flat, info, strict=False):
        rows = np.arange(len(shares.classes))
        ax.barh(rows, 100 * shares.mean, height=0.64, color=style.WINNER, alpha=0.55)
        ax.hlines(rows, 100 * shares.low, 100 * shares.high, color=style.TEXT, lw=1.3)
        if shares.prior:
            ax.plot(100 * np.array(shares.prior), rows, "|", ms=10, mew=1.6, color=style.FAILED)
        ax.set_yticks(rows, shares.classes)
        ax.set_title(shares.arm, fontsize=8.5, loc="left", color=style.TEXT)
        style.label_axes(ax, "share, %", "")
    grid[0, 0].set_xlim(left=0)  # after all bars: it stops the automatic scaling of the axis
    grid[0, 0].invert_yaxis()
    for ax in grid.flat[len(info) :]:
        ax.set_axis_off()
    return figure


def caption(info: list[Shares]) -> str:
    rare = []
    for shares in info:
        k = int(np.argmin(shares.mean))
        rare.append(f"{shares.arm}: rarest {shares.classes[k]!r} ({shares.mean[k]:.1%})")
    return "Bar: mean share over the seeds; line: its interval; tick: the training images. " + "; ".join(rare) + "."

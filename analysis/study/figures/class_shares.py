"""The share of each class among an arm's samples, by class name: mean over the seeds with its interval, against the
training images."""

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
    """One arm: `mean`, `low`, `high` [K] over the seeds; `prior` [K] of the training images, or empty."""

    arm: str
    classes: list[str]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    prior: list[float]


def data(arms: list[Arm], of: str) -> list[Shares]:
    """The arms that sample; where there are fewer than five seeds, the ends are the lowest and highest seed."""
    return [found for arm in arms if (found := _shares(arm)) is not None]


def _shares(arm: Arm) -> Shares | None:
    rows = [row for trial in arm.trials if (row := arm.row(trial)) is not None and "class_shares" in row]
    if not rows:
        return None
    drawn = np.array([row["class_shares"] for row in rows])  # [seeds, K]
    ends = np.array([interval(column) for column in drawn.T])
    lacking = np.isnan(ends)
    ends[lacking] = np.stack([drawn.min(0), drawn.max(0)], 1)[lacking]
    names = [str(name) for name in arm.sweep.manifest.data.classes]
    return Shares(
        arm.name, names, drawn.mean(0), ends[:, 0].clip(0), ends[:, 1].clip(max=1), dataset.class_prior(arm.sweep)
    )


def draw(info: list[Shares]) -> Figure:
    across = min(ACROSS, len(info))
    down = -(-len(info) // across)
    figure = style.new_figure(2.1 * across + 1.0, 2.9 * down)
    grid = figure.subplots(down, across, sharey=True, sharex=True, squeeze=False)
    for ax, one in zip(grid.flat, info, strict=False):
        rows = np.arange(len(one.classes))
        ax.barh(rows, 100 * one.mean, height=0.64, color=style.WINNER, alpha=0.55)
        ax.hlines(rows, 100 * one.low, 100 * one.high, color=style.TEXT, lw=1.3)
        if one.prior:
            ax.plot(100 * np.array(one.prior), rows, "|", ms=10, mew=1.6, color=style.FAILED)
        ax.set_yticks(rows, one.classes)
        ax.set_title(one.arm, fontsize=8.5, loc="left", color=style.TEXT)
        style.label_axes(ax, "share, %", "")
    grid[0, 0].set_xlim(left=0)  # behind the last of them: it ends the axis' growing with what is drawn
    grid[0, 0].invert_yaxis()
    for ax in grid.flat[len(info) :]:
        ax.set_axis_off()
    return figure


def caption(info: list[Shares]) -> str:
    rare = []
    for one in info:
        k = int(np.argmin(one.mean))
        rare.append(f"{one.arm}: rarest {one.classes[k]!r} ({one.mean[k]:.1%})")
    return "Bar: mean share over the seeds; line: its interval; tick: the training images. " + "; ".join(rare) + "."

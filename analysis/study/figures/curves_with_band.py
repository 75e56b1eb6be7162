"""Draw a statistic against the epoch: the mean of each arm's seeds, with a band from the lowest to the highest seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from analysis.base.formatting import format_value
from analysis.figures import style
from analysis.study import trial_statistics
from analysis.study.study_results import Arm

TITLE = "{} against the epoch"
MARKS = "osD^vPX"


class Band(NamedTuple):
    """One arm: the evaluated epochs, and the mean, lowest and highest value over the seeds there."""

    arm: str
    epochs: list[int]
    mean: list[float]
    low: list[float]
    high: list[float]


class Bands(NamedTuple):
    statistic: str
    bands: list[Band]


def data(arms: list[Arm], argument: str) -> Bands:
    """Return a band for each arm, up to its epoch. `argument` is the statistic."""
    return Bands(argument, [_band(arm, argument) for arm in arms])


def _band(arm: Arm, statistic: str) -> Band:
    by_epoch: dict[int, list[float]] = {}
    for trial in arm.trials:
        for row in trial.rows:
            if (
                row["status"] == "ok"
                and row["eval_epoch"] == row["epoch"]
                and row["epoch"] <= (arm.epoch or row["epoch"])
            ):
                by_epoch.setdefault(row["epoch"], []).append(
                    trial_statistics.statistic_value(statistic, arm.sweep, trial, row)
                )
    known = {epoch: finite for epoch in sorted(by_epoch) if (finite := [v for v in by_epoch[epoch] if np.isfinite(v)])}
    return Band(
        arm.name,
        list(known),
        *([float(f(values)) for values in known.values()] for f in (np.mean, np.min, np.max)),
    )


def draw(info: Bands) -> Figure:
    figure, ax = style.new_axes(6.4, 3.6)
    for i, band in enumerate(info.bands):
        color = style.CLASSES[i % len(style.CLASSES)]
        mark, line = MARKS[i % len(MARKS)], style.LINES[i % len(style.LINES)]
        ax.fill_between(band.epochs, band.low, band.high, color=color, alpha=0.15, lw=0)
        ax.plot(band.epochs, band.mean, mark, ls=line, ms=4, color=color, lw=1.5, label=band.arm)
    style.maybe_log_y(ax, np.array([value for band in info.bands for value in (*band.low, *band.high)]))
    style.integer_x(ax)
    ax.legend(fontsize=7.5, frameon=False, labelcolor=style.TEXT)
    style.label_axes(ax, "epoch", trial_statistics.statistic_label(info.statistic))
    return figure


def caption(info: Bands) -> str:
    ends = ", ".join(f"{band.arm} {format_value(band.mean[-1])}" for band in info.bands if band.mean)
    return f"Line: mean over the seeds; band: lowest to highest seed. At the last epoch: {ends}."

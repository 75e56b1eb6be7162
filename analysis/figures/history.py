"""Draw the best score so far against the trial number: was the search still improving when it ended?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from analysis.base.formatting import metric_label
from analysis.figures import style
from analysis.read.results import Sweep
from analysis.sweep import ranking

TITLE = "Best so far"
FEW = 8  # trials, below which the shape of the line means nothing


class History(NamedTuple):
    """Scored trials in order of number: number, value, whether it was stopped early, best value so far."""

    metric: str
    numbers: list[int]
    values: list[float]
    stopped: list[bool]
    best: list[float]
    failed: list[int]  # numbers of the trials without a score


def data(sweep: Sweep) -> list[History]:
    scored = ranking.ranked_trials(sweep).sort_values("number")
    values = scored["value"].to_numpy(float)
    so_far = sweep.sign * np.minimum.accumulate(sweep.sign * values)
    failed = sweep.trials.loc[sweep.trials["state"] == "failed", "number"]
    stopped = (scored["state"] == "pruned").tolist()
    numbers = scored["number"].tolist()
    return [History(sweep.metric, numbers, values.tolist(), stopped, so_far.tolist(), failed.tolist())]


def draw(info: History, ax: Axes) -> Axes:
    numbers, values, stopped = np.array(info.numbers), np.array(info.values), np.array(info.stopped)
    ax.plot(numbers[~stopped], values[~stopped], "o", ms=4, mfc="none", mec=style.OTHERS, label="ran to the end")
    if stopped.any():
        ax.plot(numbers[stopped], values[stopped], "x", ms=4, color=style.OTHERS, label="stopped early")
    if info.failed:
        style.mark_failed(ax, info.failed)
    steps = [*numbers, numbers[-1] + 0.5], [*info.best, info.best[-1]]
    ax.step(*steps, where="post", color=style.WINNER, lw=1.8, label="best so far")
    style.maybe_log_y(ax, values)
    style.integer_x(ax)
    ax.legend(fontsize=7.5, frameon=False, labelcolor=style.TEXT)
    return style.label_axes(ax, "trial", metric_label(info.metric))


def caption(infos: list[History]) -> str:
    (info,) = infos
    last = next(n for n, value in zip(info.numbers, info.best, strict=True) if value == info.best[-1])
    total = max([*info.numbers, *info.failed]) + 1
    if total < FEW:
        return f"Trial {last} has the best score; {total} trials say little about what more would bring."
    tail = (
        "The line was still moving near the end, so more trials may well find better."
        if total - last <= max(2, total // 5)
        else "The line is flat at the end, so more trials of this space may bring little."
    )
    return f"Trial {last} has the best score; the last trial started is {total - 1}. {tail}"

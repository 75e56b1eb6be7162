"""Draw parallel coordinates: one row per parameter, one line per trial from top to bottom, the best in colour.

If the coloured lines run together, the good trials agree on a value. If they fan out, the value matters little. A
parameter that a trial does not have interrupts its line. Rows instead of columns fit the screen of a phone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.base.formatting import format_value, metric_label
from analysis.figures import style
from analysis.read.results import Sweep
from analysis.sweep import ranking
from search_spaces.param import Param

TITLE = "What the best have in common"
BEST = 0.1  # share of the trials in colour, at least three
FEWEST = 5  # with fewer trials, a pattern means nothing
MOST = 300  # lines
ROW = 0.42  # inches


class Parallel(NamedTuple):
    """`places` [trials, rows]: the position of a trial on each row, 0..1, nan if it has no such key; best trials first.

    `ends`: the labels of 0 and 1 on each row, or of every category, with their positions.
    """

    metric: str
    keys: list[str]
    places: NDArray[np.float64]
    coloured: int
    ends: list[list[tuple[float, str]]]


def data(sweep: Sweep) -> list[Parallel]:
    ranked = ranking.ranked_trials(sweep)
    keys = [key for key in sweep.swept if key in ranked]
    if len(ranked) < FEWEST or len(keys) < 2:
        return []
    params = [sweep.space[key] for key in keys]
    columns = [[param.position(value) for value in ranked[key]] for key, param in zip(keys, params, strict=True)]
    n = len(ranked)
    return [
        Parallel(
            sweep.metric,
            keys,
            np.array(columns, float).T[:MOST],
            min(max(3, round(BEST * n)), n - 1),
            [_row_labels(param) for param in params],
        )
    ]


def _row_labels(param: Param) -> list[tuple[float, str]]:
    if param.kind == "categorical":
        return [(param.position(choice), str(choice)) for choice in param.choices]
    return [(0.0, format_value(param.low)), (1.0, format_value(param.high) + (" (log)" if param.log else ""))]


def draw(info: Parallel, ax: Axes) -> Axes:
    rows = np.arange(len(info.keys))
    ax.figure.set_figheight(0.7 + ROW * len(rows))  # type: ignore[union-attr]
    for row in rows:
        ax.plot([0, 1], [row, row], "-", color=style.FAINT, lw=1.0, zorder=1)
        for position, text in info.ends[row]:
            ax.plot([position, position], [row - 0.08, row + 0.08], "-", color=style.MUTED, lw=0.8, zorder=1)
            ax.annotate(
                text,
                (position, row),
                (0, -4),
                textcoords="offset points",
                fontsize=6.5,
                color=style.MUTED,
                ha="left" if position == 0 else "right" if position == 1 else "center",
                va="top",
            )
    for i in range(len(info.places) - 1, -1, -1):
        lead, good = i == 0, i < info.coloured
        color = style.WINNER if lead else style.CLASSES[4] if good else style.OTHERS
        width = 2.2 if lead else 1.2 if good else 0.5
        nudge = 0.012 * math.cos(2.4 * i)  # equal values do not hide each other
        ax.plot(
            info.places[i] + nudge,
            rows,
            "-",
            color=color,
            lw=width,
            alpha=1 if good else 0.5,
            zorder=2 + good + 2 * lead,
        )
    ax.set_yticks(rows, info.keys)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(-0.04, 1.04)
    ax.set_xticks([])
    style.label_axes(ax, "", "")
    ax.spines["bottom"].set_visible(False)
    return ax


def caption(panels: list[Parallel]) -> str:
    (info,) = panels
    return (
        f"A line is a trial, from the top row to the lowest: dark blue the best, light blue the {info.coloured - 1} "
        f"that follow by {metric_label(info.metric)}, grey the others. "
        "Where blue ones run together, the good trials agree."
    )

"""Draw one objective against another: the trade-off, and the trials on the Pareto front.

The staircase joins the front of this pair of objectives; everything on its worse side is dominated. With three or more
objectives, a trial may be on the front because of one that is not shown here. Such a trial is marked as well, and may
lie off the staircase.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from analysis.base.formatting import BETTER, metric_label
from analysis.figures import style
from analysis.read.results import Sweep
from analysis.sweep import ranking
from analysis.sweep.pareto import non_dominated
from trainables.objective import Objective

TITLE = "The trade-off"
SIZE = (style.WIDTH, 3.4)  # inches
MAX_NUMBERED = 12  # with more trials on the front, their numbers would overlap


class Front(NamedTuple):
    """Two objectives of every scored trial, by number, and whether it is on the front or breaks a constraint."""

    first: Objective
    second: Objective
    numbers: list[int]
    x: list[float]
    y: list[float]
    front: list[bool]
    broken: list[bool]

    @property
    def key(self) -> str:
        return self.second.metric


def data(sweep: Sweep) -> list[Front]:
    first, others = (
        sweep.goal.primary,
        [objective for objective in sweep.goal.objectives if objective != sweep.goal.primary],
    )
    if not others:
        return []
    numbers = ranking.scored_trials(sweep)["number"].tolist()
    ahead, feasible = set(ranking.winner_numbers(sweep)), set(ranking.feasible_trials(sweep)["number"])
    scores = [sweep.scores[number] for number in numbers]
    return [
        Front(
            first,
            second,
            numbers,
            [values[first.metric] for values in scores],
            [values[second.metric] for values in scores],
            [number in ahead for number in numbers],
            [number not in feasible for number in numbers],
        )
        for second in others
    ]


def staircase(info: Front) -> list[tuple[float, float]]:
    """Return the corners of the front of this pair, starting with the best value of the first objective."""
    signs = np.array([1 if objective.mode == "min" else -1 for objective in (info.first, info.second)])
    points = np.column_stack([info.x, info.y])[np.array(info.front)]
    chosen = points[non_dominated(points * signs)]
    return [(float(x), float(y)) for x, y in chosen[np.argsort(signs[0] * chosen[:, 0])]]


def draw(info: Front, ax: Axes) -> Axes:
    x, y = np.array(info.x), np.array(info.y)
    front, broken = np.array(info.front), np.array(info.broken)
    rest = ~front & ~broken
    ax.plot(x[rest], y[rest], "o", ms=4.5, mfc=style.OTHERS, mec="none", label="dominated")
    if broken.any():
        ax.plot(x[broken], y[broken], "x", ms=4.5, color=style.OTHERS, label="breaks a constraint")
    ax.step(*zip(*staircase(info), strict=True), where="post", color=style.WINNER, lw=1.2, zorder=3)
    ax.plot(x[front], y[front], "o", ms=7, mfc=style.WINNER, mec="white", zorder=5, label="on the front")
    if 0 in info.numbers:
        default = info.numbers.index(0)
        ax.plot(x[[default]], y[[default]], "s", ms=10, mfc="none", mec=style.DEFAULTS, mew=1.6, zorder=6)
        ax.plot([], [], "s", ms=6, mfc="none", mec=style.DEFAULTS, mew=1.6, label="defaults: trial 0")
    if front.sum() <= MAX_NUMBERED:
        for i in np.flatnonzero(front):
            name = str(info.numbers[i])
            ax.annotate(name, (x[i], y[i]), (5, 5), textcoords="offset points", fontsize=7.5, color=style.TEXT)
    style.maybe_log_y(ax, y)
    if x.min() > 0 and x.max() > 8 * x.min():
        ax.set_xscale("log")
        style.plain_log_ticks(ax.xaxis)
    ax.margins(0.08)
    ax.legend(fontsize=7.5, frameon=False, labelcolor=style.TEXT)
    return style.label_axes(
        ax,
        *(
            f"{metric_label(objective.metric)} ({BETTER[objective.mode]} is better)"
            for objective in (info.first, info.second)
        ),
    )


def caption(infos: list[Front]) -> str:
    info = infos[0]
    n, total = sum(info.front), len(info.front) - sum(info.broken)
    corner = f"{'left' if info.first.mode == 'min' else 'right'} and {'down' if info.second.mode == 'min' else 'up'}"
    if n == 1:
        return f"One trial of {total} beats all others in every objective, so no trade-off remains to choose from."
    return (
        f"Better is further {corner}. Of {total} trials, {n} are on the Pareto front (blue, with their numbers): "
        "choosing between them is up to you. For each grey trial there is one on the front that is better in some "
        "objective and worse in none."
    )

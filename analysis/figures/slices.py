"""Draw the objective against each swept parameter, with the edges of its range.

analysis/sweep/boundary.py tests whether the best point lies at an edge. Points are the best epochs of single runs. All
other parameters vary too, so a slice shows a tendency, not an effect.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from analysis.base.formatting import metric_label
from analysis.figures import style
from analysis.read.results import Sweep
from analysis.sweep import ranking
from search_spaces.param import Param

TITLE = "Score against each parameter"
SIZE = (3.4, 2.3)  # inches


class Slice(NamedTuple):
    """One parameter. `x`, `y`: position and score of each scored trial, best first; categories lie at 0, 1, 2, ..."""

    key: str
    metric: str
    x: list[float]
    y: list[float]
    stopped: list[bool]
    winner: int | None  # index of the winner in x and y; None if a conditional key does not apply to it
    default: int | None  # index of the defaults, trial 0
    failed: list[float]  # positions of failed trials
    low: float
    high: float
    log: bool
    whole: bool
    choices: list[str]  # empty for a number


def data(sweep: Sweep) -> list[Slice]:
    return [_slice(sweep, key, sweep.space[key]) for key in sweep.swept if key in sweep.trials]


def _slice(sweep: Sweep, key: str, param: Param) -> Slice:
    choices = [str(choice) for choice in param.choices]
    every = ranking.ranked_trials(sweep)
    scored = every.dropna(subset=[key])  # a conditional key is missing if it does not apply
    failed = sweep.trials[sweep.trials["state"] == "failed"].dropna(subset=[key])

    def place(values: Any) -> list[float]:
        return [float(choices.index(str(value))) if choices else float(value) for value in values]

    numbers = scored["number"].tolist()
    lead = int(every["number"].iloc[0])
    return Slice(
        key=key,
        metric=sweep.metric,
        x=place(scored[key]),
        y=scored["value"].tolist(),
        stopped=(scored["state"] == "pruned").tolist(),
        winner=numbers.index(lead) if lead in numbers else None,
        default=numbers.index(0) if 0 in numbers else None,
        failed=place(failed[key]),
        low=-0.5 if choices else float(param.low),
        high=len(choices) - 0.5 if choices else float(param.high),
        log=param.log,
        whole=param.kind == "int",
        choices=choices,
    )


def draw(info: Slice, ax: Axes) -> Axes:
    x, y, stopped = np.array(info.x), np.array(info.y), np.array(info.stopped, bool)
    if info.choices:
        x = style.jitter(x, 0.12)
        ax.set_xticks(range(len(info.choices)), info.choices)
    ax.plot(x[~stopped], y[~stopped], "o", ms=4.5, mfc="none", mec=style.MUTED, mew=0.9)
    ax.plot(x[stopped], y[stopped], "x", ms=4, color=style.OTHERS)
    marked = (info.default, "s", style.DEFAULTS), (info.winner, "o", style.WINNER)  # the winner last, so on top
    for index, mark, color in marked:
        if index is not None:
            ax.plot(x[[index]], y[[index]], mark, ms=7, mfc=color, mec="white", zorder=5)
    if info.failed:
        style.mark_failed(ax, info.failed)
    _shade_outside(info, ax)
    style.maybe_log_y(ax, y)
    return style.label_axes(ax, info.key, metric_label(info.metric))


def _shade_outside(info: Slice, ax: Axes) -> None:
    """Set the scale of the x axis and shade what lies outside the range."""
    if info.choices:
        ax.set_xlim(info.low, info.high)
        return
    if info.log:
        ax.set_xscale("log")
        pad = (info.high / info.low) ** 0.06
        outer = (info.low / pad, info.high * pad)
    else:
        pad = 0.06 * (info.high - info.low or 1.0)
        outer = (info.low - pad, info.high + pad)
    ax.set_xlim(*outer)
    if info.log:
        style.plain_log_ticks(ax.xaxis)
    elif info.whole:
        style.integer_x(ax)
    for inner, far in zip((info.low, info.high), outer, strict=True):
        ax.axvspan(inner, far, color=style.FAINT, lw=0)
        ax.axvline(inner, color=style.MUTED, lw=0.8, ls=(0, (3, 2)))


def caption(infos: list[Slice]) -> str:
    same = all(info.winner == info.default for info in infos)
    start = "Blue dot: the winner" + (", here the defaults" if same else "; orange square: the defaults")
    return (
        f"{start}; crosses were stopped early; ticks at the bottom mark failed trials. Grey lies outside the "
        "searched range."
    )

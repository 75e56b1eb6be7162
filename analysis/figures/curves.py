"""Draw the objective of every trial at each evaluated epoch, early stops, and the winner's best epoch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from analysis.base.formatting import metric_label
from analysis.figures import style
from analysis.read.results import Sweep
from analysis.sweep import ranking

TITLE = "Learning curves"


class Curve(NamedTuple):
    number: int
    state: str
    epochs: list[int]
    values: list[float]


class Curves(NamedTuple):
    metric: str
    curves: list[Curve]  # in order of number, without trials that have no finite value
    winner: int
    best_epoch: int
    budget: int  # epochs of the longest run


def data(sweep: Sweep) -> list[Curves]:
    finite = sweep.history[np.isfinite(sweep.history["value"].astype(float))]
    states = dict(zip(sweep.trials["number"], sweep.trials["state"], strict=True))
    curves = [
        Curve(number, states[number], rows["epoch"].tolist(), rows["value"].tolist())
        for number in finite["number"].unique().tolist()
        for rows in [finite[finite["number"] == number]]
    ]
    lead = ranking.ranked_trials(sweep).iloc[0]
    return [Curves(sweep.metric, curves, int(lead["number"]), int(lead["best_epoch"]), int(sweep.manifest.epochs))]


def draw(info: Curves, ax: Axes) -> Axes:
    for curve in info.curves:
        color, width, order = style.OTHERS, 0.8, 1
        if curve.number == info.winner:
            color, width, order = style.WINNER, 2.2, 4
        elif curve.number == 0:
            color, width, order = style.DEFAULTS, 1.6, 3
        dot = "o" if len(curve.epochs) == 1 else None  # a line needs two
        ax.plot(curve.epochs, curve.values, marker=dot, ms=3, color=color, lw=width, zorder=order)
        mark = {"pruned": "x", "failed": "v"}.get(curve.state)
        if mark:
            mark_color = style.FAILED if mark == "v" else style.MUTED
            ax.plot(curve.epochs[-1:], curve.values[-1:], mark, ms=4, color=mark_color, zorder=order + 1)
    _legend(info, ax)
    lead = next(curve for curve in info.curves if curve.number == info.winner)
    peak = lead.values[lead.epochs.index(info.best_epoch)]
    ax.plot([info.best_epoch], [peak], "o", ms=6, mfc="white", mec=style.WINNER, mew=1.8, zorder=6)
    style.maybe_log_y(ax, np.concatenate([curve.values for curve in info.curves]))
    style.integer_x(ax)
    ax.margins(x=0.04)
    return style.label_axes(ax, "epoch", metric_label(info.metric))


def _legend(info: Curves, ax: Axes) -> None:
    states = {curve.state for curve in info.curves}
    ax.plot([], [], color=style.WINNER, lw=2.2, label=f"winner: trial {info.winner}")
    if info.winner != 0 and any(curve.number == 0 for curve in info.curves):
        ax.plot([], [], color=style.DEFAULTS, lw=1.6, label="defaults: trial 0")
    if len(info.curves) > 2:
        ax.plot([], [], color=style.OTHERS, lw=0.8, label="other trials")
    if "pruned" in states:
        ax.plot([], [], "x", ms=4, color=style.MUTED, label="stopped here")
    if "failed" in states:
        ax.plot([], [], "v", ms=4, color=style.FAILED, label="failed here")
    ax.legend(fontsize=7.5, frameon=False, labelcolor=style.TEXT)


def caption(infos: list[Curves]) -> str:
    (info,) = infos
    lead = next(curve for curve in info.curves if curve.number == info.winner)
    if len(lead.epochs) == 1:
        return "The winner was evaluated only once, so it has no curve."
    where = f"The ring marks the winner's best epoch, {info.best_epoch} of the {lead.epochs[-1]} it ran."
    if info.best_epoch == lead.epochs[-1]:
        return f"{where} It was still improving when its epochs ran out; a longer run may do better."
    return f"{where} It got worse or stood still after that; the saved weights are those of the ring."

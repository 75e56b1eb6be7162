"""The objective against each swept parameter, with the edges of its box: a best point at an edge asks for a wider box.

"A search space is suspicious if the best point is close to its boundary" (Godbole et al. 2023, the tuning playbook).
Points are the best epochs of single runs; all other parameters vary too, so a slice shows a tendency, not an effect.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from analysis import best
from analysis.figures import style
from analysis.runs import Sweep
from analysis.words import named

TITLE = "Score against each parameter"
NEAR = 0.05  # of the box's width, in its own (log) scale


class Slice(NamedTuple):
    """One parameter. `x`, `y`: position and score of each scored trial, best first; categories lie at 0, 1, 2, ..."""

    key: str
    metric: str
    x: list[float]
    y: list[float]
    stopped: list[bool]
    default: int | None  # where in x and y the defaults are, trial 0
    low: float
    high: float
    log: bool
    choices: list[str]  # empty for a number
    failed: list[float]  # positions of failed trials
    edge: str  # "lower", "upper" or "": where the winner sits


def data(sweep: Sweep) -> list[Slice]:
    return [_slice(sweep, key, sweep.meta["space"][key]) for key in sweep.swept if key in sweep.trials]


def _slice(sweep: Sweep, key: str, box: dict[str, Any]) -> Slice:
    choices = [str(choice) for choice in box["choices"]] if box["kind"] == "categorical" else []
    scored = best.ranked(sweep).dropna(subset=[key])  # a conditional key is missing where it does not apply
    failed = sweep.trials[sweep.trials["state"] == "failed"].dropna(subset=[key])

    def place(values: Any) -> list[float]:
        return [float(choices.index(str(value))) if choices else float(value) for value in values]

    low, high = (-0.5, len(choices) - 0.5) if choices else (float(box["low"]), float(box["high"]))
    log = not choices and bool(box["log"])
    x, numbers = place(scored[key]), scored["number"].tolist()
    edge = "" if choices or not x else _edge(x[0], low, high, log)
    return Slice(
        key, sweep.metric, x, scored["value"].tolist(), (scored["state"] == "pruned").tolist(),
        numbers.index(0) if 0 in numbers else None, low, high, log, choices,
        place(failed[key]), edge,
    )  # fmt: skip


def _edge(x: float, low: float, high: float, log: bool) -> str:
    if log:
        x, low, high = math.log(x), math.log(low), math.log(high)
    share = (x - low) / (high - low) if high > low else 0.5
    return "lower" if share <= NEAR else "upper" if share >= 1 - NEAR else ""


def ink(info: Slice, ax: Axes) -> Axes:
    x, y, stopped = np.array(info.x), np.array(info.y), np.array(info.stopped, bool)
    if info.choices:
        x = x + 0.12 * np.cos(2.4 * np.arange(len(x)))  # fans equal positions out, always in the same way
        ax.set_xticks(range(len(info.choices)), info.choices)
    ax.plot(x[~stopped], y[~stopped], "o", ms=4.5, mfc="none", mec=style.QUIET, mew=0.9)
    ax.plot(x[stopped], y[stopped], "x", ms=4, color=style.OTHERS)
    if info.default is not None:
        at = info.default
        ax.plot(x[at : at + 1], y[at : at + 1], "s", ms=6, mfc=style.DEFAULTS, mec="white", zorder=4)
    ax.plot(x[:1], y[:1], "o", ms=7, mfc=style.WINNER, mec="white", zorder=5)
    if info.failed:
        style.ticks(ax, info.failed)
    _box(info, ax)
    style.spread(ax, y)
    return style.tidy(ax, info.key, named(info.metric))


def _box(info: Slice, ax: Axes) -> None:
    """Sets the scale and shades what lies outside the box."""
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
    for inner, far in zip((info.low, info.high), outer, strict=True):
        ax.axvspan(inner, far, color=style.FAINT, lw=0)
        ax.axvline(inner, color=style.QUIET, lw=0.8, ls=(0, (3, 2)))


def look(infos: list[Slice]) -> str:
    start = (
        "Blue dot: the winner; orange square: the defaults; crosses were stopped early, ticks at the foot failed. "
        "Grey lies outside the searched range."
    )
    edges = [f"the {info.edge} edge of {info.key}" for info in infos if info.edge]
    if not edges:
        return f"{start} The winner lies well inside every range, so the ranges were wide enough for it."
    return f"{start} The winner sits at {' and '.join(edges)}: a wider range may hold a better one."

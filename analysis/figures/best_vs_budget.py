"""Draw the best score against the budget spent, in trials, training images and seconds.

Steps show what a search had reached. A line with a band shows what a random search of the same space typically reaches,
if that can be computed (see analysis/sweep/random_search.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.base.formatting import format_value, metric_label
from analysis.base.paired_tests import LEVEL
from analysis.figures import style
from analysis.read.results import Sweep
from analysis.sweep import commands, random_search
from analysis.sweep.random_search import Unit

TITLE = "Expected best against budget"
SIZE = (3.4, 2.8)  # inches
AXES: dict[Unit, tuple[str, float]] = {  # without updates: with one batch size, these are as the images
    "trials": ("trials", 1.0),
    "images": ("training images, thousands", 1e3),
    "seconds": ("seconds of training, all trials together", 1.0),
}
LOG_FROM = 10  # trials; with as many, the first ones would be crowded on a linear axis
Floats = NDArray[np.float64]


class Line(NamedTuple):
    """One search.

    `x`, `y` [trials]: the budget spent and the best score so far. `n_x`, `median`, `better`, `worse` [N]: the budget of
    a random search, the median of its best score, and the ends of the band. These are empty if nothing is known of a
    random search; an end is infinite if the band is open there. All scores have the sign of the objective.
    """

    name: str
    x: Floats
    y: Floats
    n_x: Floats
    median: Floats
    better: Floats
    worse: Floats


class Point(NamedTuple):
    """The mean over seeds of one configuration with its interval, at the cost of finding it.

    `line` is the index of its line, -1 if it has none.
    """

    name: str
    line: int
    x: float
    y: float
    low: float
    high: float
    by_hand: bool


class Budget(NamedTuple):
    """The panel of one unit of the budget.

    `level` are horizontal lines by name, such as the score of the defaults. `why` says why the band is
    missing, `hint` is the command that would give one.
    """

    unit: Unit
    metric: str
    lines: list[Line]
    level: dict[str, float]
    why: str
    hint: str
    points: Sequence[Point] = ()
    sign: int = 1  # +1 if lower is better

    @property
    def key(self) -> Unit:
        return self.unit


EMPTY: Floats = np.array([])


def search_line(name: str, unit: Unit, search: Sweep | None, control: Sweep | None, level: float = LEVEL) -> Line:
    """Return what `search` had reached, and what random searches reach, estimated from the trials of `control`.

    Either may be None.
    """
    x, y = EMPTY, EMPTY
    if search is not None:
        costs = random_search.trial_costs(search)
        x, y = costs[unit].cumsum().to_numpy(float), search.sign * np.minimum.accumulate(costs["loss"].to_numpy(float))
    if control is None or not len(draws := random_search.random_trials(control, random_search.trial_costs(control))):
        return Line(name, x, y, EMPTY, EMPTY, EMPTY, EMPTY)
    curve = random_search.random_search_curve(draws["loss"], level=level)
    n_x = float(draws[unit].mean()) * np.arange(1, len(draws) + 1, dtype=np.float64)
    return Line(name, x, y, n_x, *(control.sign * ends for ends in curve))


def data(sweep: Sweep) -> list[Budget]:
    """Return a panel for each unit.

    Without a band, the panel of trials is left out: the figure `history` shows the same.
    """
    why = random_search.why_no_band(sweep)
    known = sweep.trials.set_index("number")["value"]
    level = {"defaults": float(known[0])} if 0 in sweep.scores else {}
    hint = " ".join(commands.control_command(sweep)) if why else ""
    lines = {
        unit: search_line("this search", unit, sweep, None if why else sweep)
        for unit in AXES
        if not (why and unit == "trials")
    }
    return [
        Budget(unit, sweep.metric, [line], level, why, hint)
        for unit, line in lines.items()
        if len(line.x) and np.isfinite(line.x).all() and line.x.any()
    ]


def compare_panels(sweeps: Sequence[Sweep]) -> list[Budget]:
    """Return a panel for each unit with several sweeps that share a score; the bands of random ones hold together."""
    random = [not random_search.why_no_band(sweep) for sweep in sweeps]
    level = 1 - (1 - LEVEL) / max(1, sum(random))
    panels = []
    for unit in AXES:
        lines = [
            search_line(sweep.manifest.name, unit, sweep, sweep if free else None, level)
            for sweep, free in zip(sweeps, random, strict=True)
        ]
        if all(len(line.x) and np.isfinite(line.x).all() for line in lines):
            panels.append(Budget(unit, sweeps[0].metric, lines, {}, "", "", sign=sweeps[0].sign))
    return panels


def draw(info: Budget, ax: Axes) -> Axes:
    text, scale = AXES[info.unit]
    low, high = _y_limits(info)
    for i, line in enumerate(info.lines):
        color = style.WINNER if len(info.lines) == 1 else style.CLASSES[i % len(style.CLASSES)]
        dash = style.LINES[i % len(style.LINES)]
        if len(line.n_x):
            label = "of n random trials: median, band" if len(info.lines) == 1 else f"{line.name}, random"
            _draw_random_band(line, ax, scale, (low, high), color=color, ls=dash, label=label)
        if len(line.x):
            _draw_best_so_far(line, ax, scale, color=color, ls=dash)
    for i, (name, value) in enumerate(info.level.items()):
        ax.axhline(value, color=style.DEFAULTS, lw=1.2, ls=style.LINES[(i + 1) % len(style.LINES)], label=name)
    _scale_x(info, ax)
    _draw_points(info, ax, scale)
    ax.set_ylim(low, high)
    if _needs_log(low, high):
        ax.set_yscale("log")
        style.plain_log_ticks(ax.yaxis)
    ax.legend(fontsize=7.5, frameon=False, labelcolor=style.TEXT, loc="best")
    return style.label_axes(ax, text, metric_label(info.metric))


def _draw_random_band(
    line: Line, ax: Axes, scale: float, limits: tuple[float, float], color: str, ls: Any, label: str
) -> None:
    """Draw the median of the best of n random trials, and its band, cut off at the limits of the y axis."""
    better, worse = (np.clip(end, *limits) for end in (line.better, line.worse))
    ax.fill_between(line.n_x / scale, better, worse, color=color, alpha=0.14, lw=0)
    ax.plot(line.n_x / scale, _finite_or_nan(line.median), ls=ls, lw=1.3, color=color, label=label)


def _draw_best_so_far(line: Line, ax: Axes, scale: float, color: str, ls: Any) -> None:
    """Draw the best value so far as steps, which go on as far as the random curve beside them."""
    last = max(line.x[-1], line.n_x[-1] if len(line.n_x) else 0)
    x, y = np.append(line.x, last) / scale, _finite_or_nan(np.append(line.y, line.y[-1]))
    ax.step(x, y, where="post", color=color, lw=2.0, ls=ls, alpha=0.95, label=f"{line.name}: best so far")


def _scale_x(info: Budget, ax: Axes) -> None:
    """Make the x axis logarithmic if the first of many trials would be crowded on a linear one."""
    costs = [x for line in info.lines for x in (*line.x, *line.n_x)]
    if max(len(line.x) + len(line.n_x) for line in info.lines) >= LOG_FROM and min(costs) > 0:
        ax.set_xscale("log")
        style.plain_log_ticks(ax.xaxis)
    elif info.unit == "trials":
        style.integer_x(ax)


def _needs_log(low: float, high: float) -> bool:
    return low > 0 and high > 8 * low


def _draw_points(info: Budget, ax: Axes, scale: float) -> None:
    """Draw a diamond for each configuration set by hand, and a dot for each pick of a search."""
    for by_hand, mark, text in ((False, "o", "picked, fresh seeds"), (True, "D", "set by hand, fresh seeds")):
        shown = [point for point in info.points if point.by_hand == by_hand]
        for k, point in enumerate(shown):
            x = point.x / scale * (1.04**k if by_hand else 1)  # points of equal cost do not hide each other
            color = style.OTHERS if point.line < 0 else style.CLASSES[point.line % len(style.CLASSES)]
            ax.plot([x, x], [point.low, point.high], "-", color=style.TEXT, lw=1.2, zorder=6)
            ax.plot(x, point.y, mark, ms=6, mfc=color, mec=style.TEXT, mew=0.9, zorder=7)
        if shown:
            ax.plot([], [], mark, ms=6, mfc="white", mec=style.TEXT, label=text)


def _finite_or_nan(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _y_limits(info: Budget) -> tuple[float, float]:
    """Return the limits of the y axis: the lowest and the highest finite value, with a margin."""
    parts = [part for line in info.lines for part in (line.y, line.median, line.better, line.worse)]
    around = [end for point in info.points for end in (point.y, point.low, point.high)]
    values = np.concatenate([*parts, np.array([*info.level.values(), *around])])
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if _needs_log(low, high):
        return low / 1.25, high * 1.25
    margin = 0.1 * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


def caption(infos: Sequence[Budget]) -> str:
    info = infos[0]
    line = info.lines[0]
    if info.why:
        return (
            f"Steps: the best score so far. No band is shown, because {info.why}: this sweep cannot show what another "
            f"search would reach. A random search of the same space can: {info.hint}."
        )
    n = len(line.n_x)
    few, many = describe_best_of(line, min(5, n)), describe_best_of(line, n)
    return (
        f"In the median, the best of {few}, and the best of {many}. The 95 % band holds for every n at once and "
        "assumes only that trials are independent. If it is open at the good end, there are too few trials to bound "
        "how good a rare one could be."
    )


def describe_best_of(line: Line, n: int) -> str:
    """Return the best of n random trials in words: `5 random trials is 13.1 [12.2, 15]`."""
    better, worse = (
        format_value(float(end[n - 1])) if np.isfinite(end[n - 1]) else "open" for end in (line.better, line.worse)
    )
    trials = "1 random trial" if n == 1 else f"{n} random trials"
    return f"{trials} is {format_value(float(line.median[n - 1]))} [{better}, {worse}]"

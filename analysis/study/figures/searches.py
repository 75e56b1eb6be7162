"""Draw the searches of a study in one figure.

Steps show what each search reached, bands what random searches of its space typically reach. Points show the picks of
the searches and the configurations set by hand, trained from fresh seeds.

All bands hold together with 95 %: each has the level 1 - .05 / m for m searches (Bonferroni). A configuration set by
hand costs one training, so its point is at the budget of one; a pick is at the end of its search. Points are scored on
val, as the searches are. So the distance from the end of the steps to the point shows by how much the search
overestimated its pick.
"""

from __future__ import annotations

from itertools import combinations
from typing import cast

import numpy as np
from matplotlib.figure import Figure

from analysis.base.formatting import format_value
from analysis.base.paired_tests import LEVEL, interval
from analysis.figures import best_vs_budget, style
from analysis.figures.best_vs_budget import Budget, Line, Point, describe_best_of, search_line
from analysis.study.study_results import Arm
from analysis.sweep import random_search
from analysis.sweep.random_search import BestOfNCurve, Unit

TITLE = "Expected best against {}"


def data(arms: list[Arm], argument: str) -> Budget | None:
    """Return a line for every arm with a search, and a point for every arm; None if no arm has a search.

    `argument` is the unit of the budget.
    """
    unit = cast(Unit, argument)
    searched = [arm for arm in arms if arm.search is not None]
    if not searched:
        return None
    level = 1 - (1 - LEVEL) / max(1, sum(arm.control is not None for arm in searched))
    lines = [search_line(arm.name, unit, arm.search, arm.control, level) for arm in searched]
    models = [arm.sweep.manifest.model for arm in searched]
    points = [point for arm in arms if (point := _point(arm, models, unit)) is not None]
    return Budget(unit, searched[0].sweep.metric, lines, {}, "", "", points, searched[0].sweep.sign)


def _point(arm: Arm, models: list[str], unit: Unit) -> Point | None:
    values = arm.values(arm.sweep.metric)
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    search = arm.search
    costs = random_search.trial_costs(search) if search is not None else None
    x = float(costs[unit].sum()) if costs is not None else _cost(arm, unit)
    low, high = interval(values)
    model = arm.sweep.manifest.model
    line = models.index(model) if model in models else -1
    mean = float(values.mean())
    return Point(arm.name, line, x, mean, low, high, by_hand=search is None)


def _cost(arm: Arm, unit: Unit) -> float:
    """Return the cost of one training of an arm."""
    if unit == "trials":
        return 1.0
    last = [trial.rows[-1] for trial in arm.trials if trial.rows]
    return float(np.mean([row["n_images" if unit == "images" else "wall_s"] for row in last]))


def draw(info: Budget) -> Figure:
    figure, ax = style.new_axes(6.4, 4.4)
    best_vs_budget.draw(info, ax)
    return figure


def caption(info: Budget) -> str:
    banded = [line for line in info.lines if len(line.n_x)]
    typical = ", ".join(f"{line.name}, {describe_best_of(line, len(line.n_x))}" for line in banded)
    parts = [
        "Steps: the best so far of each search; broad: the band of what random searches of its space reach, all bands "
        "at once with 95 %."
    ]
    parts += [f"Typically the best of: {typical}."] * bool(banded)
    parts += [describe_crossing(a, b, info) for a, b in combinations(banded, 2)]
    return " ".join([*parts, _points_sentence(info)])


def _points_sentence(info: Budget) -> str:
    scores = ", ".join(
        f"{point.name} {format_value(point.y)} [{format_value(point.low)}, {format_value(point.high)}]"
        for point in info.points
    )
    return f"Over fresh seeds: {scores}."


def describe_crossing(a: Line, b: Line, info: Budget) -> str:
    """Return a sentence that says from which budget one line is ahead of the other, by medians and by bands."""
    curves = [BestOfNCurve(*(info.sign * ends for ends in (line.median, line.better, line.worse))) for line in (a, b)]
    order = random_search.compare_curves(curves[0], curves[1], (float(a.n_x[0]), float(b.n_x[0])))
    lead = order.median[order.median != 0]
    if not len(lead):
        return f"{a.name} and {b.name} are level."
    ahead, behind = (a, b) if lead[-1] > 0 else (b, a)
    since = order.budgets[_last_run(order.median, int(lead[-1]))]
    before = (
        f"; up to there {behind.name} is ahead{_bands_apart(order, -int(lead[-1]))}" if since > order.budgets[0] else ""
    )
    sure = (
        _bands_apart(order, int(lead[-1])) or ", but the bands overlap, so random searches of this size do not prove it"
    )
    return f"{ahead.name} is ahead of {behind.name} from {since:,.0f} {info.unit} on by the medians{sure}{before}."


def _bands_apart(order: random_search.CurveOrder, sign: int) -> str:
    """Return the budgets at which the band of one line is clear of the other's; empty if there are none."""
    apart = np.flatnonzero(order.band == sign)
    if not len(apart):
        return ""
    first, last = order.budgets[apart[0]], order.budgets[apart[-1]]
    some = "" if len(apart) == apart[-1] - apart[0] + 1 else " at most budgets"
    return f", and the bands are apart{some} from {first:,.0f} to {last:,.0f}"


def _last_run(signs: np.ndarray[tuple[int], np.dtype[np.int64]], sign: int) -> int:
    """Return the index at which the last run without the opposite sign begins."""
    against = np.flatnonzero(signs == -sign)
    start = int(against[-1]) + 1 if len(against) else 0
    return start + int(np.flatnonzero(signs[start:] == sign)[0])

"""The searches of a study in one figure: what each reached, what random searches of its space typically reach, and, as
points, its pick and what a person had set by hand, trained from fresh seeds.

The bands hold all at once with 95 %: each is one of 1 - .05 / m for m searches (Bonferroni). A hand-set configuration
costs one training, so it stands at the budget of one; a pick stands where its search ended. Points are on val, as the
searches are: what the fresh seeds lose against the end of the steps is how much the search flattered its pick.
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


def data(arms: list[Arm], of: str) -> Budget | None:
    """Every arm that is a search is a line; `of` is the unit of spending. None where no arm is one."""
    unit = cast(Unit, of)
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
    told = random_search.trial_costs(search) if search is not None else None
    x = float(told[unit].sum()) if told is not None else _cost(arm, unit)
    low, high = interval(values)
    model = arm.sweep.manifest.model
    of = models.index(model) if model in models else -1
    mean = float(values.mean())
    return Point(arm.name, of, x, mean, low, high, by_hand=search is None)


def _cost(arm: Arm, unit: Unit) -> float:
    """What one training of an arm takes."""
    if unit == "trials":
        return 1.0
    last = [trial.rows[-1] for trial in arm.trials if trial.rows]
    return float(np.mean([row["n_images" if unit == "images" else "wall_s"] for row in last]))


def draw(info: Budget) -> Figure:
    figure, ax = style.new_axes(6.4, 4.4)
    best_vs_budget.draw(info, ax)
    return figure


def caption(info: Budget) -> str:
    banded = [one for one in info.lines if len(one.n_x)]
    typical = ", ".join(f"{one.name}, {describe_best_of(one, len(one.n_x))}" for one in banded)
    parts = [
        "Steps: the best so far of each search; broad: the band of what random searches of its space reach, all bands "
        "at once with 95 %."
    ]
    parts += [f"Typically the best of: {typical}."] * bool(banded)
    parts += [describe_crossing(a, b, info) for a, b in combinations(banded, 2)]
    return " ".join([*parts, _points_sentence(info)])


def _points_sentence(info: Budget) -> str:
    told = ", ".join(
        f"{one.name} {format_value(one.y)} [{format_value(one.low)}, {format_value(one.high)}]" for one in info.points
    )
    return f"Over fresh seeds: {told}."


def describe_crossing(a: Line, b: Line, info: Budget) -> str:
    """From what budget on one line is ahead of the other, by the medians and by the bands."""
    curves = [BestOfNCurve(*(info.sign * ends for ends in (one.median, one.better, one.worse))) for one in (a, b)]
    found = random_search.compare_curves(curves[0], curves[1], (float(a.n_x[0]), float(b.n_x[0])))
    lead = found.median[found.median != 0]
    if not len(lead):
        return f"{a.name} and {b.name} are level."
    ahead, behind = (a, b) if lead[-1] > 0 else (b, a)
    since = found.budgets[_last_run(found.median, int(lead[-1]))]
    before = (
        f"; up to there {behind.name} is ahead{_bands_apart(found, -int(lead[-1]))}" if since > found.budgets[0] else ""
    )
    sure = (
        _bands_apart(found, int(lead[-1])) or ", but the bands overlap, so random searches of this size do not prove it"
    )
    return f"{ahead.name} is ahead of {behind.name} from {since:,.0f} {info.unit} on by the medians{sure}{before}."


def _bands_apart(found: random_search.CurveOrder, sign: int) -> str:
    """Where the bands are apart for one of the two; empty for nowhere."""
    held = np.flatnonzero(found.band == sign)
    if not len(held):
        return ""
    first, last = found.budgets[held[0]], found.budgets[held[-1]]
    some = "" if len(held) == held[-1] - held[0] + 1 else " at most budgets"
    return f", and the bands are apart{some} from {first:,.0f} to {last:,.0f}"


def _last_run(signs: np.ndarray[tuple[int], np.dtype[np.int64]], sign: int) -> int:
    """Where the last run without the opposite sign begins."""
    against = np.flatnonzero(signs == -sign)
    start = int(against[-1]) + 1 if len(against) else 0
    return start + int(np.flatnonzero(signs[start:] == sign)[0])

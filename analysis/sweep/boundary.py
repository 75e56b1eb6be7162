"""Check whether the best point lies at the edge of a searched range, and suggest a wider range.

"A search space is suspicious if the best point is close to its boundary" (Godbole et al. 2023, the tuning playbook). A
number lies at an edge of its range if it is within NEAR of the range's width, in the (log) scale of the range. If a key
has only a few numbers to choose from, one end is always near. In this case most of the best trials must agree on it. A
limit of the key itself (`KEYS`) does not count as an edge, since a wider range is not allowed. Words have no order and
so no edge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from analysis.read.results import Sweep
from analysis.sweep import ranking
from search_spaces.param import Param, is_number
from trainables.config_schema import KEYS

NEAR = 0.05  # of the range's width
FEW = 8  # whole numbers; among fewer, an end is often the best by chance
BEST, AGREE = 5, 4  # so many of the best five trials must lie at the edge
Side = Literal["lower", "upper"]


class Edge(NamedTuple):
    """A key whose best value lies at one side of its range, and the wider range as `--set` reads it."""

    key: str
    side: Side
    wider: str


def winner_edges(sweep: Sweep) -> list[Edge]:
    """Return the edges at which the winner lies, in the order of the space."""
    ranked = ranking.ranked_trials(sweep)
    edges = []
    for key in sweep.swept:
        if key in ranked:
            values = ranked[key].dropna().tolist()  # without the trials in which a conditional key does not apply
            if len(values) and not _missing(ranked[key].iloc[0]):
                edges.append(find_edge(key, sweep.space[key], values))
    return [edge for edge in edges if edge is not None]


def find_edge(key: str, param: Param, values: Sequence[Any]) -> Edge | None:
    """Return the edge of one key, from its values in the trials that can win, best first; None if there is none."""
    grid = _grid(param)
    if grid is not None:
        return _edge_of_few(key, grid, [float(value) for value in values], param.kind)
    if not param.is_range:
        return None
    low, high = param.low, param.high
    scale = math.log if param.log else float
    share = (scale(float(values[0])) - scale(low)) / (scale(high) - scale(low)) if high > low else 0.5
    side: Side | None = "lower" if share <= NEAR else "upper" if share >= 1 - NEAR else None
    if side is None:
        return None
    wider = _beyond(low, high, side, param.log)
    return _widened_edge(key, side, param.kind == "int", param.log, low, high, wider)


def extend_command(sweep: Sweep, edges: Sequence[Edge]) -> list[str]:
    """Return the command that continues the search in the wider space, with half as many trials again."""
    words = [
        "gensweep",
        "extend",
        sweep.place.name,
        *sweep.manifest.file_words,
        "--trials",
        str(max(4, math.ceil(sweep.manifest.trials / 2))),
    ]
    return words + [word for edge in edges for word in ("--set", f"{edge.key}={edge.wider}")]


def describe_edges(sweep: Sweep, edges: Sequence[Edge]) -> str:
    """Return a sentence on the edges: `The best point lies at the upper edge of lr_g`, or at none."""
    if not edges:
        return "The best point lies well inside every range, so the ranges were wide enough for it"
    ends = " and ".join(f"the {edge.side} edge of {edge.key}" for edge in edges)
    return f"The best point lies at {ends}, so a wider range may hold a better one"


def _grid(param: Param) -> list[float] | None:
    """Return the sorted values of a key that has only a few numbers; None for a range or for words."""
    if param.kind == "int" and param.high - param.low < FEW:
        return [float(value) for value in range(int(param.low), int(param.high) + 1)]
    if param.kind == "categorical" and all(is_number(choice) for choice in param.choices):
        return sorted(float(choice) for choice in param.choices)
    return None


def _edge_of_few(key: str, grid: list[float], values: list[float], kind: str) -> Edge | None:
    leaders = values[:BEST]
    if len(grid) < 3 or len(leaders) < BEST or values[0] not in (grid[0], grid[-1]):
        return None
    if sum(value == values[0] for value in leaders) < AGREE:
        return None
    side: Side = "lower" if values[0] == grid[0] else "upper"
    if kind == "int":
        return _widened_edge(key, side, True, False, grid[0], grid[-1], _beyond(grid[0], grid[-1], side, False))
    near, next_ = (grid[0], grid[1]) if side == "lower" else (grid[-1], grid[-2])
    further = near**2 / next_ if min(grid) > 0 else 2 * near - next_
    if _is_whole(key, grid):
        further = math.floor(further) if side == "lower" else math.ceil(further)
    if not _allowed(key, further):
        return None
    chosen = [further, *grid] if side == "lower" else [*grid, further]
    return Edge(key, side, ",".join(f"{value:.6g}" for value in chosen))


def _beyond(low: float, high: float, side: Side, log: bool) -> float:
    """Return the new end of a range that becomes half as long again, in its own scale."""
    if log:
        reach = math.sqrt(high / low)
        return low / reach if side == "lower" else high * reach
    reach = 0.5 * (high - low)
    return low - reach if side == "lower" else high + reach


def _widened_edge(key: str, side: Side, whole: bool, log: bool, low: float, high: float, far: float) -> Edge | None:
    """Return the edge with its wider range; None if the range already ends at the limit of the key.

    If the wider range would pass the limit of the key, it ends half-way to the limit.
    """
    low_limit, high_limit = _limits(key)
    if key not in KEYS and not whole and not log and low >= 0 and high <= 1:
        low_limit, high_limit = 0.0, 1.0  # a key of a user's own that may be a share
    limit = low_limit if side == "lower" else high_limit
    near = low if side == "lower" else high
    if limit is not None and (far < limit if side == "lower" else far > limit):
        far = (near + limit) / 2
    far = float(f"{far:.3g}")  # as a person would write it
    if whole:
        far = math.floor(far) if side == "lower" else math.ceil(far)
    far = max(far, 1.0) if whole and log else far
    if not (far < low or far > high):
        return None
    ends = f"{far:.12g}:{high:.12g}" if side == "lower" else f"{low:.12g}:{far:.12g}"
    return Edge(key, side, f"{ends}:log" if log else ends)


def _allowed(key: str, value: float) -> bool:
    low, high = _limits(key)
    return (low is None or value >= low) and (high is None or value <= high)


def _limits(key: str) -> tuple[float | None, float | None]:
    """Return the limits of a key; a key of a user's own has none."""
    return (KEYS[key].low, KEYS[key].high) if key in KEYS else (None, None)


def _is_whole(key: str, grid: list[float]) -> bool:
    return KEYS[key].type is int if key in KEYS else all(value == int(value) for value in grid)


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))

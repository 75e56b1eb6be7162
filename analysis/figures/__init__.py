"""The figures of a report: a file a figure, each with a data half (sweep -> what is drawn, tested by its numbers), an
ink half (that -> matplotlib Axes) and a sentence that says what to look at. To add one, write its file and its line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from matplotlib.axes import Axes

from analysis.figures import (
    best_vs_budget,
    class_shares,
    curves,
    discriminator,
    failures,
    finalist_scores,
    history,
    importance,
    latent,
    nearest_pairs,
    parallel,
    pareto,
    slices,
    style,
)
from analysis.read.results import Sweep

__all__ = ["FIGURES", "Figure", "draw"]


class Figure(NamedTuple):
    """`data` gives an entry per panel, none where the figure does not apply; `width` and `height` are in inches."""

    title: str
    data: Callable[[Sweep], list[Any]]
    draw: Callable[[Any, Axes], Axes]
    caption: Callable[[list[Any]], str]
    width: float = style.WIDTH
    height: float = style.HEIGHT


FIGURES: dict[str, Figure] = {
    "proof": Figure(finalist_scores.TITLE, finalist_scores.data, finalist_scores.draw, finalist_scores.caption),
    "front": Figure(pareto.TITLE, pareto.data, pareto.draw, pareto.caption, height=3.4),
    "curves": Figure(curves.TITLE, curves.data, curves.draw, curves.caption),
    "history": Figure(history.TITLE, history.data, history.draw, history.caption),
    "budget": Figure(best_vs_budget.TITLE, best_vs_budget.data, best_vs_budget.draw, best_vs_budget.caption, 3.4, 2.8),
    "importance": Figure(importance.TITLE, importance.data, importance.draw, importance.caption),
    "parallel": Figure(parallel.TITLE, parallel.data, parallel.draw, parallel.caption),
    "balance": Figure(discriminator.TITLE, discriminator.data, discriminator.draw, discriminator.caption),
    "classes": Figure(class_shares.TITLE, class_shares.data, class_shares.draw, class_shares.caption),
    "pairs": Figure(nearest_pairs.TITLE, nearest_pairs.data, nearest_pairs.draw, nearest_pairs.caption, height=0.85),
    "failures": Figure(failures.TITLE, failures.data, failures.draw, failures.caption),
    "latent": Figure(latent.TITLE, latent.data, latent.draw, latent.caption, height=4.2),
    "slices": Figure(slices.TITLE, slices.data, slices.draw, slices.caption, 3.4, 2.3),
}


def render_png(name: str, info: Any) -> bytes:
    """One panel of a figure as PNG."""
    figure, ax = style.new_axes(FIGURES[name].width, FIGURES[name].height)
    FIGURES[name].draw(info, ax)
    return style.encode_png(figure)

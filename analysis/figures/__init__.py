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
    ink: Callable[[Any, Axes], Axes]
    look: Callable[[list[Any]], str]
    width: float = style.WIDTH
    height: float = style.HEIGHT


FIGURES: dict[str, Figure] = {
    "proof": Figure(finalist_scores.TITLE, finalist_scores.data, finalist_scores.ink, finalist_scores.look),
    "front": Figure(pareto.TITLE, pareto.data, pareto.ink, pareto.look, height=3.4),
    "curves": Figure(curves.TITLE, curves.data, curves.ink, curves.look),
    "history": Figure(history.TITLE, history.data, history.ink, history.look),
    "budget": Figure(best_vs_budget.TITLE, best_vs_budget.data, best_vs_budget.ink, best_vs_budget.look, 3.4, 2.8),
    "importance": Figure(importance.TITLE, importance.data, importance.ink, importance.look),
    "parallel": Figure(parallel.TITLE, parallel.data, parallel.ink, parallel.look),
    "balance": Figure(discriminator.TITLE, discriminator.data, discriminator.ink, discriminator.look),
    "classes": Figure(class_shares.TITLE, class_shares.data, class_shares.ink, class_shares.look),
    "pairs": Figure(nearest_pairs.TITLE, nearest_pairs.data, nearest_pairs.ink, nearest_pairs.look, height=0.85),
    "failures": Figure(failures.TITLE, failures.data, failures.ink, failures.look),
    "latent": Figure(latent.TITLE, latent.data, latent.ink, latent.look, height=4.2),
    "slices": Figure(slices.TITLE, slices.data, slices.ink, slices.look, 3.4, 2.3),
}


def draw(name: str, info: Any) -> bytes:
    """One panel of a figure as PNG."""
    figure, ax = style.axes(FIGURES[name].width, FIGURES[name].height)
    FIGURES[name].ink(info, ax)
    return style.png(figure)

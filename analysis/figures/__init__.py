"""The figures of a report: a file a figure, each with a data half (sweep -> what is drawn, tested by its numbers), an
ink half (that -> matplotlib Axes) and a sentence that says what to look at. To add one, write its file and its line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from matplotlib.axes import Axes

from analysis.figures import (
    balance,
    budget,
    classes,
    curves,
    failures,
    front,
    history,
    importance,
    latent,
    pairs,
    parallel,
    proof,
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
    "proof": Figure(proof.TITLE, proof.data, proof.ink, proof.look),
    "front": Figure(front.TITLE, front.data, front.ink, front.look, height=3.4),
    "curves": Figure(curves.TITLE, curves.data, curves.ink, curves.look),
    "history": Figure(history.TITLE, history.data, history.ink, history.look),
    "budget": Figure(budget.TITLE, budget.data, budget.ink, budget.look, 3.4, 2.8),
    "importance": Figure(importance.TITLE, importance.data, importance.ink, importance.look),
    "parallel": Figure(parallel.TITLE, parallel.data, parallel.ink, parallel.look),
    "balance": Figure(balance.TITLE, balance.data, balance.ink, balance.look),
    "classes": Figure(classes.TITLE, classes.data, classes.ink, classes.look),
    "pairs": Figure(pairs.TITLE, pairs.data, pairs.ink, pairs.look, height=0.85),
    "failures": Figure(failures.TITLE, failures.data, failures.ink, failures.look),
    "latent": Figure(latent.TITLE, latent.data, latent.ink, latent.look, height=4.2),
    "slices": Figure(slices.TITLE, slices.data, slices.ink, slices.look, 3.4, 2.3),
}


def draw(name: str, info: Any) -> bytes:
    """One panel of a figure as PNG."""
    figure, ax = style.axes(FIGURES[name].width, FIGURES[name].height)
    FIGURES[name].ink(info, ax)
    return style.png(figure)

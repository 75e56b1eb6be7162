"""List the figures of a report, one file each.

Each file has `data` (sweep to numbers), `draw` (numbers to matplotlib Axes) and `caption` (a sentence that says what to
look at). Tests check the numbers of `data`. To add a figure, write its file and its line in FILES.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
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

__all__ = ["FIGURES", "Figure", "render_png"]


class Figure(NamedTuple):
    """A kind of figure.

    `data` returns an entry per panel, none if the figure does not apply. `width` and `height` are in inches.
    """

    title: str
    data: Callable[[Sweep], list[Any]]
    draw: Callable[[Any, Axes], Axes]
    caption: Callable[[list[Any]], str]
    width: float = style.WIDTH
    height: float = style.HEIGHT

    @classmethod
    def from_module(cls, module: ModuleType) -> Figure:
        """Return the figure that a file of this package defines; its SIZE is optional."""
        size = getattr(module, "SIZE", (style.WIDTH, style.HEIGHT))
        return cls(module.TITLE, module.data, module.draw, module.caption, *size)


FILES = {
    "proof": finalist_scores,
    "front": pareto,
    "curves": curves,
    "history": history,
    "budget": best_vs_budget,
    "importance": importance,
    "parallel": parallel,
    "balance": discriminator,
    "classes": class_shares,
    "pairs": nearest_pairs,
    "failures": failures,
    "latent": latent,
    "slices": slices,
}
FIGURES = {name: Figure.from_module(file) for name, file in FILES.items()}


def render_png(name: str, info: Any) -> bytes:
    """Return one panel of a figure as PNG."""
    figure, ax = style.new_axes(FIGURES[name].width, FIGURES[name].height)
    FIGURES[name].draw(info, ax)
    return style.encode_png(figure)

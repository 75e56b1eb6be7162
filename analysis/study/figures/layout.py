"""Lay out the panels and image rows that several study figures share."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.base import image_sheets
from analysis.figures import style
from analysis.figures.sample_grids import Strip, sheet_gap

ACROSS = 3  # panels in a row


def panel_grid(n: int, size: float) -> tuple[Figure, NDArray[Any]]:
    """Return a figure with n square panels of `size` inches, at most ACROSS in a row, and its axes."""
    across = min(ACROSS, n)
    down = -(-n // across)
    figure = style.new_figure(size * across, size * down)
    grid = figure.subplots(down, across, squeeze=False)
    for ax in grid.flat[n:]:
        ax.set_axis_off()
    return figure, grid


def draw_strips(strips: list[Strip], across: int, interpolation: str | None = None) -> Figure:
    """Draw rows of `across` images under each other, each with its title above it."""
    figure = style.new_figure(6.0, 0.82 * len(strips))
    for ax, strip in zip(np.atleast_1d(figure.subplots(len(strips))), strips, strict=True):
        pixels = image_sheets.make_sheet(strip.images, across, sheet_gap(strip.images))
        ax.imshow(pixels.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation=interpolation)
        ax.set_axis_off()
        ax.set_title(strip.title, fontsize=8, loc="left", color=style.TEXT, pad=2)
    return figure

"""Share size, colours, axis labels and PNG encoding between all figures.

Figures are small (readable at the width of a phone), and a wide screen shows two side by side. Colours are those of
Okabe and Ito (2008), which colour-blind readers can distinguish; meaning never depends on colour alone. `Figure()` is
used instead of pyplot, so nothing is global and threads may draw.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

TEXT, MUTED, FAINT = "#222222", "#6b6b6b", "#d9d9d9"
WINNER, DEFAULTS, FAILED, REFERENCE = "#0072B2", "#E69F00", "#D55E00", "#222222"
OTHERS = "#a8a8a8"
CLASSES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000", "#8c6bb1", "#7f7f7f")
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)))  # dashes
WIDTH, HEIGHT, DPI = 4.6, 3.0, 200  # inches


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this many inches."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")


def new_axes(width: float = WIDTH, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Return an empty figure of this many inches, and its axes."""
    figure = new_figure(width, height)
    return figure, figure.add_subplot()


def hide_ticks(ax: Axes) -> Axes:
    """Remove the ticks, for axes that hold a picture."""
    ax.set_xticks([])
    ax.set_yticks([])
    return ax


def name_row(ax: Axes, name: str, size: float) -> None:
    """Write the name of a row of pictures to the left of its first one."""
    ax.set_ylabel(name, fontsize=size, rotation=0, ha="right", va="center", color=TEXT)


def jitter(positions: NDArray[np.float64], width: float, phase: float = 0.0) -> NDArray[np.float64]:
    """Return positions shifted by up to `width`, always in the same way, so that equal ones do not hide each other."""
    spread: NDArray[np.float64] = positions + width * np.cos(2.4 * np.arange(len(positions)) + phase)
    return spread


def label_axes(ax: Axes, x: str, y: str) -> Axes:
    """Label the axes and remove the spines that carry no information."""
    ax.set_xlabel(x, fontsize=9, color=TEXT)
    ax.set_ylabel(y, fontsize=9, color=TEXT)
    ax.tick_params(labelsize=8, colors=MUTED, length=3, width=0.6)
    ax.tick_params(which="minor", length=1.5, width=0.5, labelsize=7)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(MUTED)
        ax.spines[side].set_linewidth(0.6)
    return ax


def encode_png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def maybe_log_y(ax: Axes, values: NDArray[np.float64]) -> None:
    """Make the y axis logarithmic if the values span more than a factor of 8, so that the good end stays readable."""
    if len(values) and values.min() > 0 and values.max() > 8 * values.min():
        ax.set_yscale("log")
        plain_log_ticks(ax.yaxis)


def plain_log_ticks(axis: Axis) -> None:
    """Label a logarithmic axis at 1, 2, 5, 10, 20, ... in plain numbers, or at powers of ten if it is long."""
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 50 * low else (1.0,)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def integer_x(ax: Axes) -> None:
    """Label the x axis at whole numbers only."""
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))


def mark_failed(ax: Axes, positions: Sequence[float]) -> None:
    """Mark failed trials, which have no score, at the bottom of the axes."""
    foot = ax.get_xaxis_transform()
    ax.plot(positions, [0.03] * len(positions), "|", ms=9, mew=1.4, color=FAILED, transform=foot, label="failed")

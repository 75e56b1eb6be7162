"""Draw points beside the curve y = x^2, and where denoising autoencoders move them."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures import style
from analysis.nets import reconstruct
from analysis.nets.reconstruct import DenoisedPoints
from analysis.study.study_results import Arm

TITLE = "Points pulled back to y = x²"


def data(arms: list[Arm], argument: str) -> dict[str, DenoisedPoints]:
    """Return the points of seed 0 of each arm, by arm."""
    return {arm.name: reconstruct.denoise_parabola(arm.sweep, arm.trials[0].number) for arm in arms}


def _plane(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return 2 * points[:, 0] - 1, points[:, 1]  # as stored, x lies in [0, 1]


def draw(info: dict[str, DenoisedPoints]) -> Figure:
    figure = style.new_figure(2.7 * len(info), 2.7)
    x = np.linspace(-1, 1, 200)
    for ax, (name, points) in zip(np.atleast_1d(figure.subplots(1, len(info), sharey=True)), info.items(), strict=True):
        ax.plot(*_plane(points.corrupted), "x", ms=3, mew=0.7, color=style.OTHERS, label="corrupted")
        ax.plot(*_plane(points.denoised), "o", ms=2.6, mew=0, color=style.WINNER, label="denoised")
        ax.plot(x, x**2, color=style.TEXT, lw=1.2, label="y = x²")
        ax.set_xlim(-1.6, 1.6)
        ax.set_ylim(-0.5, 1.5)
        ax.set_title(name, fontsize=8.5, loc="left", color=style.TEXT)
        style.label_axes(ax, "x", "y")
    figure.axes[0].legend(fontsize=7, frameon=False, loc="upper center", labelcolor=style.TEXT)
    return figure


def caption(info: dict[str, DenoisedPoints]) -> str:
    distances = ", ".join(f"{name} from {points.before:.3f} to {points.after:.3f}" for name, points in info.items())
    return f"Mean distance to the curve, on an axis of length 1, before and after denoising by seed 0: {distances}."

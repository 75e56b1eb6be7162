"""What denoising autoencoders do: the same images at rising noise through each arm, and points pulled to y = x^2."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.base import image_sheets
from analysis.base.image_sheets import Pixels
from analysis.figures import style
from analysis.figures.sample_grids import sheet_gap
from analysis.nets import reconstruct
from analysis.nets.reconstruct import DenoisedPoints
from analysis.study.study_results import Arm
from trainables.images import to_uint8

TITLE = "The same images at rising noise"
TITLE_PARABOLA = "Points pulled back to y = x²"
LEVELS = (0.0, 0.1, 0.3, 0.5, 0.8)  # sd of the noise
IMAGES = 4  # at each level


class Denoised(NamedTuple):
    """`rows` by name: the noisy input, then each arm's output, [len(LEVELS) * IMAGES, C, H, W], level by level."""

    rows: dict[str, Pixels]


def data(arms: list[Arm], of: str) -> Denoised:
    """Seed 0 of each arm."""
    clean = reconstruct.held_out_images(arms[0].sweep, IMAGES)
    eps = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    noisy = torch.cat([clean + level * eps for level in LEVELS])
    rows = {"input": _pixels(noisy)}
    for arm in arms:
        rows[arm.name] = _pixels(reconstruct.reconstruct(arm.sweep, arm.trials[0].number, noisy))
    return Denoised(rows)


def _pixels(x: torch.Tensor) -> Pixels:
    pixels: Pixels = to_uint8(x).numpy()
    return pixels


def draw(info: Denoised) -> Figure:
    figure = style.new_figure(7.0, 0.4 * len(info.rows) + 0.3)
    grid = figure.subplots(len(info.rows), len(LEVELS), squeeze=False)
    for j, (name, images) in enumerate(info.rows.items()):
        for i, level in enumerate(LEVELS):
            ax = grid[j, i]
            mine = images[i * IMAGES : (i + 1) * IMAGES]
            ax.imshow(image_sheets.make_sheet(mine, IMAGES, sheet_gap(mine)).squeeze(), cmap="gray", vmin=0, vmax=255)
            style.hide_ticks(ax)
            if j == 0:
                ax.set_title("clean" if level == 0 else f"noise sd {level:g}", fontsize=8, color=style.TEXT, pad=3)
        style.name_row(grid[j, 0], name, 8)
    return figure


def caption(info: Denoised) -> str:
    return (
        "Columns: the same held-out images under more and more noise. Rows: the input, then what seed 0 of each arm "
        "makes of it. An arm fails where its row stops looking like the clean input of the first column."
    )


def data_parabola(arms: list[Arm], of: str) -> dict[str, DenoisedPoints]:
    """Seed 0 of each arm, by arm."""
    return {arm.name: reconstruct.denoise_parabola(arm.sweep, arm.trials[0].number) for arm in arms}


def _plane(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return 2 * points[:, 0] - 1, points[:, 1]  # as stored, x lies in [0, 1]


def draw_parabola(info: dict[str, DenoisedPoints]) -> Figure:
    figure = style.new_figure(2.7 * len(info), 2.7)
    x = np.linspace(-1, 1, 200)
    for ax, (name, one) in zip(np.atleast_1d(figure.subplots(1, len(info), sharey=True)), info.items(), strict=True):
        ax.plot(*_plane(one.corrupted), "x", ms=3, mew=0.7, color=style.OTHERS, label="corrupted")
        ax.plot(*_plane(one.denoised), "o", ms=2.6, mew=0, color=style.WINNER, label="denoised")
        ax.plot(x, x**2, color=style.TEXT, lw=1.2, label="y = x²")
        ax.set_xlim(-1.6, 1.6)
        ax.set_ylim(-0.5, 1.5)
        ax.set_title(name, fontsize=8.5, loc="left", color=style.TEXT)
        style.label_axes(ax, "x", "y")
    figure.axes[0].legend(fontsize=7, frameon=False, loc="upper center", labelcolor=style.TEXT)
    return figure


def caption_parabola(info: dict[str, DenoisedPoints]) -> str:
    told = ", ".join(f"{name} from {one.before:.3f} to {one.after:.3f}" for name, one in info.items())
    return f"Mean distance to the curve, on an axis of length 1, before and after denoising by seed 0: {told}."

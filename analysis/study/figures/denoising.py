"""Draw the same images with increasing noise, and what each arm's denoising autoencoder makes of them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from matplotlib.figure import Figure

from analysis.base import image_sheets
from analysis.base.image_sheets import Pixels
from analysis.figures import style
from analysis.figures.sample_grids import sheet_gap
from analysis.nets import reconstruct
from analysis.study.study_results import Arm
from trainables.images import to_uint8

TITLE = "The same images at rising noise"
LEVELS = (0.0, 0.1, 0.3, 0.5, 0.8)  # sd of the noise
IMAGES = 4  # at each level


class Denoised(NamedTuple):
    """Images by row name: the noisy input, then the output of each arm [len(LEVELS) * IMAGES, C, H, W], by level."""

    rows: dict[str, Pixels]


def data(arms: list[Arm], argument: str) -> Denoised:
    """Return the input and the outputs of seed 0 of each arm."""
    clean = reconstruct.held_out_images(arms[0].sweep, IMAGES)
    eps = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    noisy = torch.cat([clean + level * eps for level in LEVELS])
    rows = {"input": to_uint8(noisy).numpy()}
    for arm in arms:
        rows[arm.name] = to_uint8(reconstruct.reconstruct(arm.sweep, arm.trials[0].number, noisy)).numpy()
    return Denoised(rows)


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

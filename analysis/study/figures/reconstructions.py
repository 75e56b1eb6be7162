"""Draw real images, their reconstructions by the arms that encode, and samples of every arm."""

from __future__ import annotations

from typing import NamedTuple

import torch
from matplotlib.figure import Figure

from analysis.base import image_sheets
from analysis.base.image_sheets import Pixels
from analysis.figures import style
from analysis.nets import rebuild
from analysis.nets.reconstruct import held_out_images
from analysis.study.figures.sample_grid import generated_images
from analysis.study.study_results import Arm
from trainables.images import to_uint8

TITLE = "Real images, reconstructions and samples"
SHOWN = 20  # images in a row


class Rows(NamedTuple):
    """Images [SHOWN, C, H, W] by the name of their row."""

    rows: dict[str, Pixels]


def data(arms: list[Arm], argument: str) -> Rows:
    """Return the rows of seed 0 of each arm; reconstructions are of its best epoch, from the mean code."""
    real = held_out_images(arms[0].sweep, SHOWN)
    rows = {"real": to_uint8(real).numpy()}
    for arm in arms:
        model = arm.sweep.manifest.trainable
        if model.encode is not None and model.sample is not None:
            nets = rebuild.load_nets(arm.sweep, arm.trials[0].number)
            with torch.no_grad():
                decoded = model.sample(nets, model.encode(nets, real), torch.zeros(len(real), dtype=torch.int64))
            rows[f"{arm.name}: reconstructions"] = to_uint8(decoded).numpy()
    for arm in arms:
        row = arm.row(arm.trials[0])
        if row is not None:
            rows[f"{arm.name}: samples"] = generated_images(arm, 0, row["epoch"])[:SHOWN]
    return Rows(rows)


def draw(info: Rows) -> Figure:
    figure = style.new_figure(8.0, 0.42 * len(info.rows) + 0.2)
    grid = figure.subplots(len(info.rows), 1, squeeze=False)
    for ax, (name, images) in zip(grid[:, 0], info.rows.items(), strict=True):
        style.hide_ticks(ax)
        ax.imshow(image_sheets.make_sheet(images, SHOWN, 1).squeeze(), cmap="gray", vmin=0, vmax=255)
        style.name_row(ax, name, 7.5)
    return figure


def caption(info: Rows) -> str:
    return "Reconstructions are of the images above them; samples have nothing to do with these images."

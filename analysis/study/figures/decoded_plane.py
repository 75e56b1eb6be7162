"""Draw what each arm's decoder makes of a grid of two-number codes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from analysis.base import image_sheets
from analysis.base.image_sheets import Pixels
from analysis.figures import style
from analysis.nets import codes, rebuild
from analysis.study.figures.layout import panel_grid
from analysis.study.study_results import Arm
from trainables.errors import UserError
from trainables.images import to_uint8

TITLE = "What the decoder makes of the plane"
SIDE = 14  # images across and down the plane


class Manifold(NamedTuple):
    """A grid of codes from the 2nd to the 98th percentile of each number, decoded; images [SIDE**2, C, H, W]."""

    low: tuple[float, float]
    high: tuple[float, float]
    images: Pixels


def decode(arm: Arm, z: Tensor) -> Pixels:
    """Decode the codes z [n, Z] by seed 0 of an arm and return uint8 images [n, C, H, W]."""
    nets = rebuild.load_nets(arm.sweep, arm.trials[0].number)
    if "decoder" not in nets:
        raise UserError(f"arm {arm.name!r} has no decoder")
    with torch.no_grad():
        x = torch.sigmoid(nets["decoder"](z))
    pixels: Pixels = to_uint8(x).numpy()
    return pixels


def data(arms: list[Arm], argument: str) -> dict[str, Manifold]:
    return {arm.name: _manifold(arm) for arm in arms}


def _manifold(arm: Arm) -> Manifold:
    z = codes.encode_held_out(arm.sweep, arm.trials[0].number).z
    (x0, y0), (x1, y1) = np.percentile(z, 2, axis=0), np.percentile(z, 98, axis=0)
    xs, ys = np.meshgrid(np.linspace(x0, x1, SIDE), np.linspace(y1, y0, SIDE))  # y points up
    points = torch.tensor(np.stack([xs.ravel(), ys.ravel()], 1), dtype=torch.float32)
    return Manifold((float(x0), float(y0)), (float(x1), float(y1)), decode(arm, points))


def draw(info: dict[str, Manifold]) -> Figure:
    figure, grid = panel_grid(len(info), 3.6)
    for ax, (name, plane) in zip(grid.flat, info.items(), strict=False):
        extent = (plane.low[0], plane.high[0], plane.low[1], plane.high[1])
        ax.imshow(image_sheets.make_sheet(plane.images, SIDE).squeeze(), cmap="gray", extent=extent, aspect="auto")
        ax.set_title(name, fontsize=8.5, loc="left", color=style.TEXT)
        style.label_axes(ax, "first number of the code", "second number of the code")
    return figure


def caption(info: dict[str, Manifold]) -> str:
    return (
        "Each place of the plane decoded, between the 2nd and the 98th percentile of the codes of real images. Where "
        "it shows no digit, a point drawn there at random gives none either: that is what sampling from an arm meets."
    )

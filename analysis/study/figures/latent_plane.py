"""Two-number codes: where each arm's encoder puts the classes, what its decoder makes of every place of the plane, and
the way from one image to another through the code."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from analysis.base import image_sheets
from analysis.base.image_sheets import Pixels
from analysis.figures import latent, style
from analysis.figures.sample_grids import Strip, sheet_gap
from analysis.nets import autoencoder_samples, codes, rebuild
from analysis.nets.codes import Codes
from analysis.study.study_results import Arm
from trainables.errors import UserError
from trainables.images import to_uint8

TITLE = "The two-number codes, by class"
TITLE_MANIFOLD = "What the decoder makes of the plane"
TITLE_DRAWN = "Random draws"
TITLE_STEPS = "From one image to another through the code"
SIDE = 14  # images across and down the plane
STEPS = 10
ACROSS = 3


def _panels(n: int, size: float) -> tuple[Figure, NDArray[Any]]:
    across = min(ACROSS, n)
    down = -(-n // across)
    figure = style.new_figure(size * across, size * down)
    grid = figure.subplots(down, across, squeeze=False)
    for ax in grid.flat[n:]:
        ax.set_axis_off()
    return figure, grid


def data(arms: list[Arm], of: str) -> dict[str, Codes]:
    """Seed 0 of each arm whose code has two numbers."""
    return {arm.name: codes.encode_held_out(arm.sweep, arm.trials[0].number) for arm in arms}


def draw(info: dict[str, Codes]) -> Figure:
    figure, grid = _panels(len(info), 3.3)
    for ax, (name, found) in zip(grid.flat, info.items(), strict=False):
        axes: Axes = latent.draw(found, ax)
        axes.set_title(name, fontsize=8.5, loc="left", color=style.TEXT)
    return figure


def caption(info: dict[str, Codes]) -> str:
    return (
        "Each dot is a held-out image, its class named at the middle of its cloud; axes are each code's own. Clouds "
        "that lie apart are classes that the code tells apart; it was never shown a label."
    )


class Manifold(NamedTuple):
    """The plane between the 2nd and the 98th percentile of each number of the code; images [SIDE**2, C, H, W]."""

    low: tuple[float, float]
    high: tuple[float, float]
    images: Pixels


def decode(arm: Arm, z: Tensor) -> Pixels:
    """What seed 0 of an arm makes of codes [n, Z]: uint8 [n, C, H, W]."""
    nets = rebuild.load_nets(arm.sweep, arm.trials[0].number)
    if "decoder" not in nets:
        raise UserError(f"arm {arm.name!r} has no decoder")
    with torch.no_grad():
        x = torch.sigmoid(nets["decoder"](z))
    return _pixels(x)


def _pixels(x: Tensor) -> Pixels:
    pixels: Pixels = to_uint8(x).numpy()
    return pixels


def data_manifold(arms: list[Arm], of: str) -> dict[str, Manifold]:
    return {arm.name: _manifold(arm) for arm in arms}


def _manifold(arm: Arm) -> Manifold:
    z = codes.encode_held_out(arm.sweep, arm.trials[0].number).z
    (x0, y0), (x1, y1) = np.percentile(z, 2, axis=0), np.percentile(z, 98, axis=0)
    xs, ys = np.meshgrid(np.linspace(x0, x1, SIDE), np.linspace(y1, y0, SIDE))  # y points up
    places = torch.tensor(np.stack([xs.ravel(), ys.ravel()], 1), dtype=torch.float32)
    return Manifold((float(x0), float(y0)), (float(x1), float(y1)), decode(arm, places))


def draw_manifold(info: dict[str, Manifold]) -> Figure:
    figure, grid = _panels(len(info), 3.6)
    for ax, (name, one) in zip(grid.flat, info.items(), strict=False):
        extent = (one.low[0], one.high[0], one.low[1], one.high[1])
        ax.imshow(image_sheets.make_sheet(one.images, SIDE).squeeze(), cmap="gray", extent=extent, aspect="auto")
        ax.set_title(name, fontsize=8.5, loc="left", color=style.TEXT)
        style.label_axes(ax, "first number of the code", "second number of the code")
    return figure


def caption_manifold(info: dict[str, Manifold]) -> str:
    return (
        "Each place of the plane decoded, between the 2nd and the 98th percentile of the codes of real images. Where "
        "it shows no digit, a point drawn there at random gives none either: that is what sampling from an arm meets."
    )


def data_steps(arms: list[Arm], of: str) -> list[Strip]:
    """Straight lines in the code between two held-out images of the classes `of`, such as 1-9, for each arm."""
    strips = []
    for arm in arms:
        found = codes.encode_held_out(arm.sweep, arm.trials[0].number)
        for pair in of.split(","):
            a, b = (found.z[found.labels == found.classes.index(name)][0] for name in pair.split("-"))
            t = np.linspace(0, 1, STEPS, dtype=np.float32)[:, None]
            images = decode(arm, torch.tensor((1 - t) * a + t * b))
            strips.append(Strip(f"{arm.name}: from a {pair.replace('-', ' to a ')}", "", images))
    return strips


def draw_steps(info: list[Strip]) -> Figure:
    figure = style.new_figure(6.0, 0.82 * len(info))
    for ax, strip in zip(np.atleast_1d(figure.subplots(len(info))), info, strict=True):
        ax.imshow(
            image_sheets.make_sheet(strip.images, STEPS, sheet_gap(strip.images)).squeeze(),
            cmap="gray",
            vmin=0,
            vmax=255,
        )
        ax.set_axis_off()
        ax.set_title(strip.title, fontsize=8, loc="left", color=style.TEXT, pad=2)
    return figure


def data_drawn(arms: list[Arm], of: str) -> list[Strip]:
    """Random draws of seed 0 of each arm."""
    strips = []
    for arm in arms:
        x = torch.cat(list(autoencoder_samples.sample_batches(arm.sweep, arm.trials[0].number, 2 * STEPS)))
        strips += [Strip(f"{arm.name}: draws", "", _pixels(part)) for part in torch.split(x, STEPS)]
    return strips


def caption_drawn(info: list[Strip]) -> str:
    return "Random draws of seed 0: a VAE's from its prior, a plain autoencoder's from a Gaussian fitted to its codes."


def caption_steps(info: list[Strip]) -> str:
    return (
        "The ends are one held-out image each as the arm rebuilds it; between them the code moves on a straight line."
    )

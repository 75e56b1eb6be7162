"""Draw random samples of each arm.

A VAE samples from its prior, a plain autoencoder from a Gaussian fitted to its codes.
"""

from __future__ import annotations

import torch
from matplotlib.figure import Figure

from analysis.figures.sample_grids import Strip
from analysis.nets import autoencoder_samples
from analysis.study.figures.layout import draw_strips
from analysis.study.study_results import Arm
from trainables.images import to_uint8

TITLE = "Random draws"
ACROSS = 10


def data(arms: list[Arm], argument: str) -> list[Strip]:
    """Return random samples of seed 0 of each arm."""
    strips = []
    for arm in arms:
        x = torch.cat(list(autoencoder_samples.sample_batches(arm.sweep, arm.trials[0].number, 2 * ACROSS)))
        strips += [Strip(f"{arm.name}: draws", "", to_uint8(part).numpy()) for part in torch.split(x, ACROSS)]
    return strips


def draw(info: list[Strip]) -> Figure:
    return draw_strips(info, ACROSS)


def caption(info: list[Strip]) -> str:
    return "Random draws of seed 0: a VAE's from its prior, a plain autoencoder's from a Gaussian fitted to its codes."

"""Draw a straight line in each arm's code from one held-out image to another, decoded step by step."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from analysis.figures.sample_grids import Strip
from analysis.nets import codes
from analysis.study.figures.decoded_plane import decode
from analysis.study.figures.layout import draw_strips
from analysis.study.study_results import Arm

TITLE = "From one image to another through the code"
STEPS = 10


def data(arms: list[Arm], argument: str) -> list[Strip]:
    """Return a strip for each arm and each pair of classes. `argument` names the pairs, such as 1-9,3-8."""
    strips = []
    for arm in arms:
        encoded = codes.encode_held_out(arm.sweep, arm.trials[0].number)
        for pair in argument.split(","):
            a, b = (encoded.z[encoded.labels == encoded.classes.index(name)][0] for name in pair.split("-"))
            t = np.linspace(0, 1, STEPS, dtype=np.float32)[:, None]
            images = decode(arm, torch.tensor((1 - t) * a + t * b))
            strips.append(Strip(f"{arm.name}: from a {pair.replace('-', ' to a ')}", "", images))
    return strips


def draw(info: list[Strip]) -> Figure:
    return draw_strips(info, STEPS)


def caption(info: list[Strip]) -> str:
    return (
        "The ends are one held-out image each as the arm rebuilds it; between them the code moves on a straight line."
    )

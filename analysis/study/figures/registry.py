"""List the pictures of a study, one file each.

Each file has `data` (arms to numbers), `draw` (numbers to a matplotlib Figure) and `caption` (a sentence that says what
to look at). Tests check the numbers of `data`. A study file names a picture as NAME or NAME:ARGUMENT. To add one, write
its file and its line in FILES.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from analysis.figures import style
from analysis.study.figures import (
    class_shares,
    code_steps,
    confusion,
    curves_with_band,
    decoded_plane,
    denoising,
    first_last_epoch,
    latent_plane,
    parabola,
    random_draws,
    reconstructions,
    sample_grid,
    searches,
)
from analysis.study.study_results import Arm
from analysis.study.trial_statistics import statistic_label


class ArmFigure(NamedTuple):
    """A kind of picture.

    `data(arms, argument)` is empty if the picture does not apply to the arms. `{}` in the title stands for the label of
    the argument.
    """

    title: str
    data: Callable[[list[Arm], str], Any]
    draw: Callable[[Any], Figure]
    caption: Callable[[Any], str]

    @classmethod
    def from_module(cls, module: ModuleType) -> ArmFigure:
        """Return the figure that a file of this package defines."""
        return cls(module.TITLE, module.data, module.draw, module.caption)


class RenderedFigure(NamedTuple):
    title: str
    caption: str
    png: bytes


FILES = {
    "grid": sample_grid,
    "epochs": first_last_epoch,
    "bands": curves_with_band,
    "budget": searches,
    "shares": class_shares,
    "confusion": confusion,
    "strip": denoising,
    "parabola": parabola,
    "latent": latent_plane,
    "manifold": decoded_plane,
    "drawn": random_draws,
    "rebuilt": reconstructions,
    "steps": code_steps,
}
ARM_FIGURES = {name: ArmFigure.from_module(file) for name, file in FILES.items()}


def render_figure(name: str, arms: list[Arm]) -> RenderedFigure | None:
    """Return one picture as PNG with its title and caption; None if it does not apply to these arms."""
    kind, _, argument = name.partition(":")
    figure = ARM_FIGURES[kind]
    info = figure.data(arms, argument)
    if not info:
        return None
    title = figure.title.format(statistic_label(argument))
    return RenderedFigure(title[:1].upper() + title[1:], figure.caption(info), style.encode_png(figure.draw(info)))

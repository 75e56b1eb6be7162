"""The pictures of a study: each takes arms, has a data half (tested by its numbers), an ink half and a sentence that
says what to look at. A study file names them as NAME or NAME:OF. To add one, write its functions and its line."""

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
    sample_grid,
    searches,
)
from analysis.study.study_results import Arm
from analysis.study.trial_statistics import statistic_label


class ArmFigure(NamedTuple):
    """`data(arms, of)` is empty where the figure does not apply; `{}` in the title stands for what it is of."""

    title: str
    data: Callable[[list[Arm], str], Any]
    draw: Callable[[Any], Figure]
    caption: Callable[[Any], str]

    @classmethod
    def of(cls, file: ModuleType) -> ArmFigure:
        """Return the figure that a file of this package defines."""
        return cls(file.TITLE, file.data, file.draw, file.caption)


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
    "steps": code_steps,
}
ARM_FIGURES = {name: ArmFigure.of(file) for name, file in FILES.items()}


def render_figure(name: str, arms: list[Arm]) -> RenderedFigure | None:
    """One picture as PNG with its title and its sentence; None where it does not apply to these arms."""
    kind, _, of = name.partition(":")
    figure = ARM_FIGURES[kind]
    info = figure.data(arms, of)
    if not info:
        return None
    title = figure.title.format(statistic_label(of))
    return RenderedFigure(title[:1].upper() + title[1:], figure.caption(info), style.encode_png(figure.draw(info)))

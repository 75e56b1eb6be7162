"""The pictures of a study: each takes arms, has a data half (tested by its numbers), an ink half and a sentence that
says what to look at. A study file names them as NAME or NAME:OF. To add one, write its functions and its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from analysis.figures import style
from analysis.study.figures import (
    class_shares,
    confusion,
    curves_with_band,
    denoising,
    latent_plane,
    sample_grid,
    searches,
)
from analysis.study.study_results import Arm
from analysis.study.trial_statistics import named


class ArmFigure(NamedTuple):
    """`data(arms, of)` is empty where the figure does not apply; `{}` in the title stands for what it is of."""

    title: str
    data: Callable[[list[Arm], str], Any]
    ink: Callable[[Any], Figure]
    look: Callable[[Any], str]


class Drawn(NamedTuple):
    title: str
    look: str
    png: bytes


ARM_FIGURES: dict[str, ArmFigure] = {
    "grid": ArmFigure(sample_grid.TITLE, sample_grid.data, sample_grid.ink, sample_grid.look),
    "epochs": ArmFigure(
        sample_grid.TITLE_EPOCHS, sample_grid.data_epochs, sample_grid.ink_epochs, sample_grid.look_epochs
    ),
    "bands": ArmFigure(curves_with_band.TITLE, curves_with_band.data, curves_with_band.ink, curves_with_band.look),
    "budget": ArmFigure(searches.TITLE, searches.data, searches.draw, searches.look),
    "shares": ArmFigure(class_shares.TITLE, class_shares.data, class_shares.ink, class_shares.look),
    "confusion": ArmFigure(confusion.TITLE, confusion.data, confusion.ink, confusion.look),
    "strip": ArmFigure(denoising.TITLE, denoising.data, denoising.ink, denoising.look),
    "parabola": ArmFigure(
        denoising.TITLE_PARABOLA, denoising.data_parabola, denoising.ink_parabola, denoising.look_parabola
    ),
    "latent": ArmFigure(latent_plane.TITLE, latent_plane.data, latent_plane.ink, latent_plane.look),
    "manifold": ArmFigure(
        latent_plane.TITLE_MANIFOLD, latent_plane.data_manifold, latent_plane.ink_manifold, latent_plane.look_manifold
    ),
    "drawn": ArmFigure(
        latent_plane.TITLE_DRAWN, latent_plane.data_drawn, latent_plane.ink_steps, latent_plane.look_drawn
    ),
    "steps": ArmFigure(
        latent_plane.TITLE_STEPS, latent_plane.data_steps, latent_plane.ink_steps, latent_plane.look_steps
    ),
}


def draw(name: str, arms: list[Arm]) -> Drawn | None:
    """One picture as PNG with its title and its sentence; None where it does not apply to these arms."""
    kind, _, of = name.partition(":")
    figure = ARM_FIGURES[kind]
    info = figure.data(arms, of)
    if not info:
        return None
    title = figure.title.format(named(of))
    return Drawn(title[:1].upper() + title[1:], figure.look(info), style.png(figure.ink(info)))

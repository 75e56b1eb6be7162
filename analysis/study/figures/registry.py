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
from analysis.study.trial_statistics import statistic_label


class ArmFigure(NamedTuple):
    """`data(arms, of)` is empty where the figure does not apply; `{}` in the title stands for what it is of."""

    title: str
    data: Callable[[list[Arm], str], Any]
    draw: Callable[[Any], Figure]
    caption: Callable[[Any], str]


class RenderedFigure(NamedTuple):
    title: str
    caption: str
    png: bytes


ARM_FIGURES: dict[str, ArmFigure] = {
    "grid": ArmFigure(sample_grid.TITLE, sample_grid.data, sample_grid.draw, sample_grid.caption),
    "epochs": ArmFigure(
        sample_grid.TITLE_EPOCHS, sample_grid.data_epochs, sample_grid.draw_epochs, sample_grid.caption_epochs
    ),
    "bands": ArmFigure(curves_with_band.TITLE, curves_with_band.data, curves_with_band.draw, curves_with_band.caption),
    "budget": ArmFigure(searches.TITLE, searches.data, searches.draw_searches, searches.caption),
    "shares": ArmFigure(class_shares.TITLE, class_shares.data, class_shares.draw, class_shares.caption),
    "confusion": ArmFigure(confusion.TITLE, confusion.data, confusion.draw, confusion.caption),
    "strip": ArmFigure(denoising.TITLE, denoising.data, denoising.draw, denoising.caption),
    "parabola": ArmFigure(
        denoising.TITLE_PARABOLA, denoising.data_parabola, denoising.draw_parabola, denoising.caption_parabola
    ),
    "latent": ArmFigure(latent_plane.TITLE, latent_plane.data, latent_plane.draw, latent_plane.caption),
    "manifold": ArmFigure(
        latent_plane.TITLE_MANIFOLD,
        latent_plane.data_manifold,
        latent_plane.draw_manifold,
        latent_plane.caption_manifold,
    ),
    "drawn": ArmFigure(
        latent_plane.TITLE_DRAWN, latent_plane.data_drawn, latent_plane.draw_steps, latent_plane.caption_drawn
    ),
    "steps": ArmFigure(
        latent_plane.TITLE_STEPS, latent_plane.data_steps, latent_plane.draw_steps, latent_plane.caption_steps
    ),
}


def render_figure(name: str, arms: list[Arm]) -> RenderedFigure | None:
    """One picture as PNG with its title and its sentence; None where it does not apply to these arms."""
    kind, _, of = name.partition(":")
    figure = ARM_FIGURES[kind]
    info = figure.data(arms, of)
    if not info:
        return None
    title = figure.title.format(statistic_label(of))
    return RenderedFigure(title[:1].upper() + title[1:], figure.caption(info), style.encode_png(figure.draw(info)))

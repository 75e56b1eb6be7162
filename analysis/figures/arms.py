"""The pictures of a study: each takes arms, has a data half (tested by its numbers), an ink half and a sentence that
says what to look at. A study file names them as NAME or NAME:OF. To add one, write its functions and its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from analysis.figures import bands, confusion, denoising, mosaic, planes, searches, shares, style
from analysis.quantities import named
from analysis.study import Arm


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
    "grid": ArmFigure(mosaic.TITLE, mosaic.data, mosaic.ink, mosaic.look),
    "epochs": ArmFigure(mosaic.TITLE_EPOCHS, mosaic.data_epochs, mosaic.ink_epochs, mosaic.look_epochs),
    "bands": ArmFigure(bands.TITLE, bands.data, bands.ink, bands.look),
    "budget": ArmFigure(searches.TITLE, searches.data, searches.draw, searches.look),
    "shares": ArmFigure(shares.TITLE, shares.data, shares.ink, shares.look),
    "confusion": ArmFigure(confusion.TITLE, confusion.data, confusion.ink, confusion.look),
    "strip": ArmFigure(denoising.TITLE, denoising.data, denoising.ink, denoising.look),
    "parabola": ArmFigure(
        denoising.TITLE_PARABOLA, denoising.data_parabola, denoising.ink_parabola, denoising.look_parabola
    ),
    "latent": ArmFigure(planes.TITLE, planes.data, planes.ink, planes.look),
    "manifold": ArmFigure(planes.TITLE_MANIFOLD, planes.data_manifold, planes.ink_manifold, planes.look_manifold),
    "drawn": ArmFigure(planes.TITLE_DRAWN, planes.data_drawn, planes.ink_steps, planes.look_drawn),
    "steps": ArmFigure(planes.TITLE_STEPS, planes.data_steps, planes.ink_steps, planes.look_steps),
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

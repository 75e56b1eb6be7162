"""Draw the two-number codes that each arm's encoder gives to the images of each class."""

from __future__ import annotations

from matplotlib.figure import Figure

from analysis.figures import latent, style
from analysis.nets import codes
from analysis.nets.codes import Codes
from analysis.study.figures.layout import panel_grid
from analysis.study.study_results import Arm

TITLE = "The two-number codes, by class"


def data(arms: list[Arm], argument: str) -> dict[str, Codes]:
    """Return the codes of seed 0 of each arm."""
    return {arm.name: codes.encode_held_out(arm.sweep, arm.trials[0].number) for arm in arms}


def draw(info: dict[str, Codes]) -> Figure:
    figure, grid = panel_grid(len(info), 3.3)
    for ax, (name, encoded) in zip(grid.flat, info.items(), strict=False):
        axes = latent.draw(encoded, ax)
        axes.set_title(name, fontsize=8.5, loc="left", color=style.TEXT)
    return figure


def caption(info: dict[str, Codes]) -> str:
    return (
        "Each dot is a held-out image, its class named at the middle of its cloud; axes are each code's own. Clouds "
        "that lie apart are classes that the code tells apart; it was never shown a label."
    )

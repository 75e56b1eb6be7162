"""Draw the images of each arm at its first and at its last evaluated epoch, from the same noise."""

from __future__ import annotations

from matplotlib.figure import Figure

from analysis.base.formatting import format_value, metric_label
from analysis.figures.sample_grids import ACROSS, Strip
from analysis.study.figures.layout import draw_strips
from analysis.study.figures.sample_grid import generated_images
from analysis.study.study_results import Arm

TITLE = "The first and the last epoch of each arm"


def data(arms: list[Arm], argument: str) -> list[Strip]:
    """Return the images of seed 0 of each arm at epoch 1 and at the epoch of the arm."""
    strips = []
    for arm in arms:
        rows = {row["epoch"]: row for row in arm.trials[0].rows if row["eval_epoch"] == row["epoch"]}
        last = arm.row(arm.trials[0])
        metric = arm.sweep.metric
        for epoch in sorted({1, last["epoch"]} if last else {1}):
            score = f"{metric_label(metric)} {format_value(rows[epoch][metric])}"
            strips.append(Strip(f"{arm.name}, epoch {epoch} · {score}", "", generated_images(arm, 0, epoch)[:ACROSS]))
    return strips


def draw(info: list[Strip]) -> Figure:
    return draw_strips(info, ACROSS, "nearest")


def caption(info: list[Strip]) -> str:
    return "Seed 0 of each arm; the same column starts from the same noise, or shows the same held-out image."

"""Draw samples of the arms from the same noise: one row per arm, one column per seed."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.figure import Figure

from analysis.base import image_sheets
from analysis.base.image_sheets import Pixels
from analysis.figures import sample_grids, style
from analysis.study.study_results import Arm

TITLE = "Arms by seeds, from the same noise"
SIDE = 3  # images across and down for one seed


class ArmGrid(NamedTuple):
    """The samples by arm and seed.

    `cells[arm][seed]` are the first images [n <= SIDE**2, C, H, W] of the fixed batch at the arm's epoch; None if the
    seed failed before that epoch.
    """

    arms: list[str]
    cells: list[list[Pixels | None]]


def data(arms: list[Arm], argument: str) -> ArmGrid:
    return ArmGrid([arm.name for arm in arms], [[_cell(arm, i) for i in range(len(arm.trials))] for arm in arms])


def _cell(arm: Arm, i: int) -> Pixels | None:
    row = arm.row(arm.trials[i])
    return None if row is None else generated_images(arm, i, row["epoch"])[: SIDE**2]


def generated_images(arm: Arm, i: int, epoch: int) -> Pixels:
    """Return what trial i of an arm generated at an evaluated epoch.

    The batches of autoencoders alternate input and output, so only every second image is returned.
    """
    batch = sample_grids.saved_batch(arm.sweep, arm.trials[i].number, epoch)
    return batch[1::2] if arm.sweep.manifest.trainable.shows_pairs else batch


def draw(info: ArmGrid) -> Figure:
    across, down = max(len(row) for row in info.cells), len(info.cells)
    figure = style.new_figure(0.82 * across + 1.1, 0.82 * down + 0.25)
    grid = figure.subplots(down, across, squeeze=False)
    for j, (name, row) in enumerate(zip(info.arms, info.cells, strict=True)):
        for i in range(across):
            ax = grid[j, i]
            style.hide_ticks(ax)
            for spine in ax.spines.values():
                spine.set_visible(False)
            cell = row[i] if i < len(row) else None
            if cell is None:
                ax.text(0.5, 0.5, "failed", ha="center", va="center", fontsize=7, transform=ax.transAxes)
            else:
                ax.imshow(image_sheets.make_sheet(cell, SIDE, 1).squeeze(), cmap="gray", vmin=0, vmax=255)
            if j == 0:
                ax.set_title(f"seed {i}", fontsize=7, color=style.MUTED, pad=2)
        style.name_row(grid[j, 0], name, 7.5)
    return figure


def caption(info: ArmGrid) -> str:
    return (
        "A row is an arm, a column a seed; the same place in every block starts from the same noise. Blocks that look "
        "alike within a row are what the arm does; those that do not are luck."
    )

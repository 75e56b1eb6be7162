"""Draw the nearest pairs among the samples by which the winner was scored.

This is the birthday test: a person looks whether a generator repeats its images (Arora and Zhang 2017,
arXiv:1706.08224).
"""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes

from analysis.base import image_sheets
from analysis.base.image_sheets import Pixels
from analysis.figures import style
from analysis.nets import rebuild
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep import ranking
from trainables.errors import UserError

TITLE = "The most alike of its samples"
SIZE = (style.WIDTH, 0.85)  # inches
GAP = 2  # pixels


class Pairs(NamedTuple):
    """`images` [2n, C, H, W]: n samples, then the nearest other sample of each, nearest pair first.

    `n_samples` is the number of samples in all, `duplicates` the share of them with a near-identical other.
    """

    images: Pixels
    n_samples: int
    duplicates: float


def data(sweep: Sweep) -> list[Pairs]:
    number = ranking.winner(sweep)
    row = results.read_trial(sweep, number).best
    if row is None or not row.get("closest"):
        return []
    pairs = row["closest"]
    which = [int(pair[0]) for pair in pairs] + [int(pair[1]) for pair in pairs]
    try:
        images = rebuild.scored_samples(sweep, number, which)
    except UserError:
        return []  # if weights or images are missing, the page lacks this figure only
    return [Pairs(images, int(sweep.manifest.stamp["n_samples"]), float(row["duplicates"]))]


def draw(info: Pairs, ax: Axes) -> Axes:
    pixels = image_sheets.make_sheet(info.images, len(info.images) // 2, GAP)
    ax.imshow(pixels.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    for side in ax.spines.values():
        side.set_visible(False)
    return style.hide_ticks(ax)


def caption(infos: list[Pairs]) -> str:
    (info,) = infos
    return (
        f"The samples, of {info.n_samples:,}, that are most like another one, each above that other one. "
        f"{info.duplicates:.1%} of all samples have a near-identical other; of real images 1 % do."
    )

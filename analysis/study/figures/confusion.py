"""Draw the mean confusion matrix over the seeds of each conditional arm: requested class against generated class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures import style
from analysis.study.study_results import Arm

TITLE = "Asked for a class, and drawn"
KEY = "confusion"


class Confusion(NamedTuple):
    """One arm: `shares[requested, generated]` [K, K], the mean over the seeds; rows sum to 1."""

    arm: str
    classes: list[str]
    shares: NDArray[np.float64]


def data(arms: list[Arm], argument: str) -> list[Confusion]:
    """Return the matrices of the arms that generate a requested class."""
    return [confusion for arm in arms if (confusion := _confusion(arm)) is not None]


def _confusion(arm: Arm) -> Confusion | None:
    tables = [row[KEY] for trial in arm.trials if (row := arm.row(trial)) is not None and row.get(KEY) is not None]
    if not tables:
        return None
    counts = np.array(tables, float)  # [seeds, K, K]
    shares = (counts / counts.sum(2, keepdims=True).clip(1e-12)).mean(0)
    return Confusion(arm.name, [str(name) for name in arm.sweep.manifest.data.classes], shares)


def draw(info: list[Confusion]) -> Figure:
    figure = style.new_figure(4.4 * len(info), 4.0)
    for ax, confusion in zip(np.atleast_1d(figure.subplots(1, len(info))), info, strict=True):
        ax.imshow(confusion.shares, cmap="Greys", vmin=0, vmax=1)
        for i, j in np.argwhere(confusion.shares >= 0.005):
            share = confusion.shares[i, j]
            color = "white" if share > 0.5 else style.TEXT
            ax.text(j, i, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=color)
        where = np.arange(len(confusion.classes))
        ax.set_xticks(where, confusion.classes, rotation=45, ha="right")
        ax.set_yticks(where, confusion.classes)
        ax.set_title(f"{confusion.arm}, %", fontsize=8.5, loc="left", color=style.TEXT)
        style.label_axes(ax, "read by the extractor", "asked for")
    return figure


def caption(info: list[Confusion]) -> str:
    parts = []
    for confusion in info:
        right = np.diag(confusion.shares)
        least = confusion.classes[int(right.argmin())]
        parts.append(f"{confusion.arm} {right.mean():.1%}, least for {least!r} ({right.min():.1%})")
    return f"Each row is a class that was asked for; the diagonal is obeyed. Obeyed on average: {'; '.join(parts)}."

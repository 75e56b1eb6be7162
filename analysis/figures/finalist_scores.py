"""Draw the score of every fresh seed of every finalist on the test split, the pick first.

A hollow diamond is the score of the search, from one training. All finalists use the same seeds, in the same order from
top to bottom within a row. So a reader can compare one seed across finalists.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.base.formatting import metric_label
from analysis.base.paired_tests import interval
from analysis.figures import style
from analysis.read.results import Sweep
from analysis.sweep import final_results

TITLE = "Fresh seeds on test"


class FinalistScores(NamedTuple):
    metric: str
    names: list[str]
    seeds: list[NDArray[np.float64]]  # by finalist: the scores [seeds], nan if a seed failed
    mean: list[float]
    ends: list[tuple[float, float]]  # the interval of the mean; nan if there are too few seeds for one
    search: list[float]


def data(sweep: Sweep) -> list[FinalistScores]:
    final = final_results.load(sweep)
    if final is None:
        return []
    shown = final_results.pick_first(sweep, final)
    known = [finalist.test[np.isfinite(finalist.test)] for finalist in shown]
    return [
        FinalistScores(
            metric_label(sweep.metric),
            [f"trial {finalist.number}{' (defaults)' if finalist.number == 0 else ''}" for finalist in shown],
            [finalist.test for finalist in shown],
            [float(values.mean()) if len(values) else float("nan") for values in known],
            [interval(values) for values in known],
            [finalist.search for finalist in shown],
        )
    ]


def draw(info: FinalistScores, ax: Axes) -> Axes:
    for row, values in enumerate(info.seeds):
        colour = style.WINNER if row == 0 else style.DEFAULTS if "defaults" in info.names[row] else style.MUTED
        heights = row + np.linspace(-0.22, 0.22, len(values)) if len(values) > 1 else np.array([row])
        ax.plot(values, heights, "o", ms=3.2, mfc=colour, mec="none", alpha=0.75)
        low, high = info.ends[row]
        ax.plot([low, high], [row, row], "-", color=style.TEXT, lw=1.4, solid_capstyle="butt")
        ax.plot(info.mean[row], row, "|", ms=11, mew=2.0, color=style.TEXT)
        ax.plot(info.search[row], row, "D", ms=5, mfc="white", mec=style.TEXT, mew=1.0)
    ax.set_yticks(range(len(info.names)), info.names)
    ax.set_ylim(len(info.names) - 0.5, -0.6)
    style.label_axes(ax, f"{info.metric}, test", "")
    return ax


def caption(panels: list[FinalistScores]) -> str:
    return (
        "Each dot is one training from a fresh seed; the bar is their mean with its 95 % interval. The diamond is the "
        "score from the search (on val): its distance to the dots shows how much one lucky training overstates a "
        "result."
    )

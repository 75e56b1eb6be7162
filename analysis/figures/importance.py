"""Draw how much each parameter mattered, the most important at the top. See analysis/sweep/importance.py."""

from __future__ import annotations

from matplotlib.axes import Axes

from analysis.figures import style
from analysis.read.results import Sweep
from analysis.sweep.importance import BAR_LEVEL, Importance, importances

TITLE = "Which parameters mattered"
Bars = list[Importance]


def data(sweep: Sweep) -> list[Bars]:
    bars = importances(sweep)
    return [bars] if bars else []


def draw(info: Bars, ax: Axes) -> Axes:
    rows = range(len(info))
    ax.barh(rows, [bar.share for bar in info], height=0.6, color=style.WINNER, alpha=0.75)
    for row, bar in enumerate(info):
        ax.plot([bar.low, bar.high], [row, row], "-", color=style.TEXT, lw=1.4, solid_capstyle="butt")
        ax.plot([bar.low, bar.high], [row, row], "|", color=style.TEXT, ms=5)
    ax.set_yticks(rows, [bar.key for bar in info])
    ax.set_ylim(len(info) - 0.4, -0.6)
    ax.set_xlim(0, min(1.0, 1.05 * max(bar.high for bar in info)))
    return style.label_axes(ax, "share of the explained variance", "")


def caption(panels: list[Bars]) -> str:
    (info,) = panels
    first, *others = info
    clear = first.low > max((bar.high for bar in others), default=0.0)
    sentence = (
        f"{first.key} mattered most."
        if clear
        else f"{first.key} comes first, but its bar overlaps another's: more trials would separate them."
    )
    return (
        f"{sentence} Share of the variance of the (ranked) score that each parameter explains by itself, by functional "
        f"ANOVA; the bars are {BAR_LEVEL:.0%} intervals, from halves of the trials. Parameters that not every "
        "trial has are left out."
    )

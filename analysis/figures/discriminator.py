"""Draw the mean output of the winner's discriminator on real and on generated images, by epoch.

At the equilibrium of the game both outputs are one half (Goodfellow et al. 2014, theorem 1). Outputs of 1 and 0 mean
that the discriminator has won and the generator learns little. If D does not output a probability (least squares,
hinge, Wasserstein), only the gap counts. Only for models with a discriminator.
"""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes

from analysis.figures import style
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep import ranking
from trainables.schemes import SCHEMES

TITLE = "The discriminator's view"


class Balance(NamedTuple):
    epochs: list[int]
    real: list[float]  # mean D(x)
    fake: list[float]  # mean D(G(z))
    probability: bool = True  # whether D lies in [0, 1]


def data(sweep: Sweep) -> list[Balance]:
    trial = results.read_trial(sweep, ranking.winner(sweep))
    rows = [row for row in trial.rows if row.get("d_real") is not None and row.get("d_fake") is not None]
    if not rows:
        return []
    epochs, real, fake = ([row[key] for row in rows] for key in ("epoch", "d_real", "d_fake"))
    return [Balance(epochs, real, fake, SCHEMES[trial.config["scheme"]].probability)]


def draw(info: Balance, ax: Axes) -> Axes:
    if info.probability:
        ax.axhline(0.5, color=style.FAINT, lw=1)
        ax.set_ylim(0, 1)
    ax.plot(info.epochs, info.real, "o-", ms=3, color=style.WINNER, lw=1.6, label="on real images")
    ax.plot(info.epochs, info.fake, "s--", ms=3, color=style.DEFAULTS, lw=1.6, label="on generated images")
    style.integer_x(ax)
    ax.legend(fontsize=7.5, frameon=False, labelcolor=style.TEXT)
    return style.label_axes(ax, "epoch", "D's mean output")


def caption(infos: list[Balance]) -> str:
    (info,) = infos
    gap = info.real[-1] - info.fake[-1]
    if not info.probability:
        return (
            "The winner's loss has no scale that D must keep to: the closer the two lines, the harder its images are "
            f"to tell from real ones. At the end the gap is {gap:.3g}."
        )
    verdict = (
        "clearly tells them apart" if gap > 0.5 else "tells them apart a little" if gap > 0.1 else "can hardly tell"
    )
    return (
        "The nearer both lines come to one half, the harder the winner's images are to tell from real ones. At the end "
        f"the discriminator {verdict} ({info.real[-1]:.2f} on real, {info.fake[-1]:.2f} on generated images)."
    )

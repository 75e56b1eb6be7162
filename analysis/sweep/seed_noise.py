"""Measure how much the seed alone changes a score: the spread between trainings of one configuration.

The spread is known if finalize has trained configurations again. It is the standard deviation on val (the split that
the search used), pooled over the finalists, with the interval for a normal sample (chi-squared). Pooling assumes that
configurations of similar score have a similar spread.

Two trainings of one configuration differ by less than 1.96 sqrt(2) standard deviations nineteen times in twenty. So
trials of the search that are closer than that to its best cannot be distinguished from it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

from analysis.base.formatting import format_value, metric_label
from analysis.base.paired_tests import LEVEL
from analysis.read.results import Sweep
from analysis.sweep import ranking
from analysis.sweep.final_results import Final


class Noise(NamedTuple):
    """The standard deviation over seeds, in the objective's unit, with its interval and its degrees of freedom.

    `reach` is how much two trainings of one configuration can differ. `close` is how many trials of the search, besides
    the best, have scores within `reach` of the best.
    """

    sd: float
    low: float
    high: float
    freedom: int
    reach: float
    close: int


def measure_noise(sweep: Sweep, final: Final) -> Noise | None:
    """Return the noise between seeds; None if no finalist has two trainings that ended."""
    known = [finalist.val[np.isfinite(finalist.val)] for finalist in final.finalists]
    freedom = sum(max(len(values) - 1, 0) for values in known)
    if not freedom:
        return None
    squares = float(sum(np.square(values - values.mean()).sum() for values in known if len(values)))
    low, high = (float((squares / chi2.ppf(end, freedom)) ** 0.5) for end in ((1 + LEVEL) / 2, (1 - LEVEL) / 2))
    sd = (squares / freedom) ** 0.5
    reach = 1.96 * 2**0.5 * sd
    scores = sweep.sign * ranking.ranked_trials(sweep)["value"].astype(float)
    close = int((scores - scores.min() <= reach).sum()) - 1
    return Noise(sd, low, high, freedom, reach, close)


def describe_noise(sweep: Sweep, noise: Noise | None) -> str:
    """Return a sentence on how much the seed alone changes a score, without its full stop."""
    if noise is None:
        return "How much the seed alone changes a score is not known: every configuration was trained once"
    others = "no other trial" if not noise.close else f"{noise.close} other trial{'s' * (noise.close > 1)}"
    verb = "lies" if noise.close < 2 else "lie"
    return (
        f"The seed alone changes {metric_label(sweep.metric)} by {format_value(noise.sd)} "
        f"[{format_value(noise.low)}, {format_value(noise.high)}] (standard deviation over fresh seeds, "
        f"{noise.freedom} degrees of freedom); {others} of the search {verb} "
        f"within {noise.reach:.2g} of its best, which is as far as two seeds of one configuration may differ"
    )

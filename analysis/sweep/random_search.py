"""Compute what a search reached for its cost, and what a random search of the same cost typically reaches.

The cost is counted in trials, in training images, and in the seconds of all trials together. The best score so far is
shown as it was observed, for any search. A band is a claim about searches that were not run. So it is computed only
for a random search without early stopping. Except for the points that a user named, the trials of such a search are
independent draws (configuration and seed) from one distribution, and F is the unknown CDF of their score. If a sampler
learns (TPE) or a scheduler compares trials, the trials depend on each other, and no band is computed; a random search
of the same size (analysis/sweep/commands.py) gives one.

The typical best score is the median. The best of n draws is as likely to be better as to be worse than
Q(1 - 2^(-1/n)), where Q is the quantile function of F (Lourie, Cho & He 2024, arXiv:2311.09480). The mean (Dodge et al.
2019, arXiv:1909.03004) depends mostly on the worst trials if n is small, and has no value if trials fail. Its plug-in
estimate is biased, and its bootstrap intervals are too short (Tang et al. 2020, arXiv:2004.13705). A trial that failed
or breaks a constraint counts as the worst.

The band is exact for finite samples and any F, for all n at once. The number of the N draws below the quantile at q is
binomial, so the i-th best draw bounds the quantile as in Clopper & Pearson (1934). The tail is so small that all n hold
at once with probability LEVEL; it is simulated with uniform draws. If N draws cannot rule out that better scores exist
but are rare, the band is open towards the better scores. The images and seconds of n trials are n times their mean in
this search.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from analysis.base.paired_tests import LEVEL
from analysis.read.results import Sweep
from analysis.sweep import ranking

DRAWS = 4_000  # simulated sets of N uniforms: the level is then exact to about 0.003
SIZES = 64  # values of n at which the band is computed: a higher number would cost seconds and change little
Floats = NDArray[np.float64]
Unit = Literal["trials", "updates", "images", "seconds"]
UNITS: tuple[Unit, ...] = ("trials", "updates", "images", "seconds")


class BestOfNCurve(NamedTuple):
    """The best loss of n = 1, 2, ... draws: its median, and the ends of the band.

    The median is inf if more than half of such searches end without a score. `low` is -inf if the band is open towards
    better scores.
    """

    median: Floats
    low: Floats
    high: Floats


@lru_cache(maxsize=64)
def band_ranks(n: int, longest: int, level: float = LEVEL) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ranks of the draws that bound the median of the best of 1 .. `longest` of `n` draws.

    The first are the ranks of the bounds from below (0: no draw bounds it), the second those from above (n + 1: none).
    All of them hold at once with probability `level`.
    """
    sizes = np.unique(np.geomspace(1, longest, SIZES).round().astype(int))
    q = 1 - 0.5 ** (1 / sizes)  # [sizes]: the best of so many draws is as likely below this quantile as above
    at_most, at_least = _count_tails(n, q)
    tail = np.sort(_rarest_tails(n, q, at_most, at_least))[int(DRAWS * (1 - level))]
    low = (at_most < tail).sum(axis=1)  # ranks up to this one lie below the median, except for the tail
    high = (at_least >= tail).sum(axis=1)  # ranks from this one on lie above it
    every = np.arange(1, longest + 1)  # the curve falls, so between two sizes the outer bounds hold
    return low[np.searchsorted(sizes, every)], high[np.searchsorted(sizes, every, side="right") - 1]


def _count_tails(n: int, q: Floats) -> tuple[Floats, Floats]:
    """Return the probabilities [sizes, n + 1] that at most, and at least, k of n uniforms lie below each quantile."""
    counts = np.arange(n + 1)
    return binom.cdf(counts, n, q[:, None]), binom.sf(counts - 1, n, q[:, None])


def _rarest_tails(n: int, q: Floats, at_most: Floats, at_least: Floats) -> Floats:
    """Simulate DRAWS sets of n uniforms; return the probability of the least probable count of each set: [DRAWS]."""
    source = np.random.Generator(np.random.PCG64(n))
    below = np.array([np.searchsorted(np.sort(source.random(n)), q, side="right") for _ in range(DRAWS)])
    sizes = np.arange(len(q))  # below: [DRAWS, sizes], how many of n uniforms lie below each quantile
    rarest: Floats = np.minimum(at_most[sizes, below], at_least[sizes, below]).min(axis=1)
    return rarest


def random_search_curve(losses: ArrayLike, longest: int | None = None, level: float = LEVEL) -> BestOfNCurve:
    """Return the curve of n = 1 .. `longest` (None: the number of draws) from independent losses [N].

    The loss of a failed trial is inf. Raise ValueError if `losses` is empty.
    """
    y = np.sort(np.asarray(losses, float))
    if not len(y):
        raise ValueError("a curve takes at least 1 draw")
    longest = longest or len(y)
    q = 1 - 0.5 ** (1 / np.arange(1, longest + 1))
    median = y[np.ceil(np.round(q * len(y), 9)).astype(int) - 1]
    low, high = band_ranks(len(y), longest, level)
    bounds = np.concatenate([[-np.inf], y, [np.inf]])
    return BestOfNCurve(median, bounds[low], bounds[high])


def trial_costs(sweep: Sweep) -> pd.DataFrame:
    """Return the losses and the costs of the trials that have ended, by number.

    `loss` is the primary objective, where lower is better; it is inf if the trial failed or broke a constraint. The
    costs are `trials` (1), `updates`, `images` and `seconds`. All but the first are nan if no rows were read, and 0 for
    a trial without rows. `updates` are those of the net that is updated least often, nan if the rows do not count them.
    """
    ended = sweep.trials[sweep.trials["state"].isin(["complete", "pruned", "failed"])]
    scores = ranking.feasible_trials(sweep).set_index("number")["value"].astype(float)
    numbers = ended["number"].astype(int)
    counts = [key for key in map(str, sweep.rows) if key.startswith("updates")]
    last = pd.DataFrame(columns=["n_images", "wall_s"])
    if len(sweep.rows):
        last = sweep.rows.groupby("number")[["n_images", "wall_s", *counts]].last().reindex(numbers, fill_value=0)
    return pd.DataFrame({
        "number": numbers.to_numpy(),
        "loss": (sweep.sign * numbers.map(scores)).fillna(np.inf).to_numpy(float),
        "trials": 1.0,
        "updates": numbers.map(last[counts].min(axis=1)).to_numpy(float),
        "images": numbers.map(last["n_images"]).to_numpy(float),
        "seconds": numbers.map(last["wall_s"]).to_numpy(float),
    })  # fmt: skip


def why_no_band(sweep: Sweep) -> str:
    """Return why the trials of a sweep are not independent draws from one distribution; an empty text if they are."""
    manifest = sweep.manifest
    if manifest.sampler != "random":
        return f"what {manifest.sampler} proposes depends on earlier trials"
    if manifest.scheduler != "none":
        return f"which trials {manifest.scheduler} stops depends on the others"
    if manifest.study != manifest.name:
        return "the space was widened during the search"
    if random_trials(sweep, trial_costs(sweep)).empty:
        return "the user chose all of its trials"
    return ""


def random_trials(sweep: Sweep, trials: pd.DataFrame) -> pd.DataFrame:
    """Return the `trials` that were drawn at random, without the defaults and the points that a user named."""
    return trials[trials["number"] >= sweep.manifest.n_initial]


def best_within(trials: pd.DataFrame, unit: Unit, budget: float) -> float:
    """Return the lowest loss of the first trials that together cost at most `budget`; inf if there is none."""
    inside = trials[unit].cumsum() <= budget * (1 + 1e-9)
    return float(trials.loc[inside, "loss"].min()) if inside.any() else float("inf")


class CurveOrder(NamedTuple):
    """Which of two curves is ahead at each budget: +1 the first, -1 the second, 0 neither (or neither has a score)."""

    budgets: Floats
    median: NDArray[np.int64]
    band: NDArray[np.int64]  # the same if the bands do not overlap, otherwise 0


def compare_curves(first: BestOfNCurve, second: BestOfNCurve, spacing: tuple[float, float] = (1.0, 1.0)) -> CurveOrder:
    """Compare two curves at every budget up to the largest one that both reach.

    `spacing` is the cost of one draw of each curve. If the bands of both curves hold, `band` is right at all budgets at
    once.
    """
    costs = [
        spacing[i] * np.arange(1, len(curve.median) + 1, dtype=np.float64) for i, curve in enumerate((first, second))
    ]
    budgets = np.unique(np.concatenate(costs))
    budgets = budgets[budgets <= min(cost[-1] for cost in costs) * (1 + 1e-9)]
    a, b = (_curve_at(curve, cost, budgets) for curve, cost in zip((first, second), costs, strict=True))
    ahead = np.sign(np.where(a.median == b.median, 0.0, b.median - a.median)).astype(int)
    apart = (a.high < b.low).astype(int) - (b.high < a.low).astype(int)
    return CurveOrder(budgets, ahead, apart)


def _curve_at(curve: BestOfNCurve, cost: Floats, budgets: Floats) -> BestOfNCurve:
    """Return a curve at some budgets: its values for as many draws as each budget pays; inf if it pays none."""
    n = np.searchsorted(cost * (1 - 1e-9), budgets, side="right")
    none = BestOfNCurve(*(np.array([np.inf]) for _ in range(3)))
    return BestOfNCurve(*(np.concatenate([before, ends])[n] for before, ends in zip(none, curve, strict=True)))

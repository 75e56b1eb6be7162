"""What a search reached for what it spent, and what so much of a random search reaches: was it searched well enough?

Spent is counted in trials, in training images gone through, and in the seconds of all trials together. Of any search
the best so far is shown as it was observed. A band is a claim about searches that were not run, so it is drawn where
the draws allow one: a random search without early stopping, whose trials, but for those that somebody named, are
independent draws (configuration and seed) of one distribution with the unknown CDF F of the score. A sampler that
learns (TPE) or a scheduler that compares trials makes them depend on each other, and no band is drawn; a control stream
beside it (analysis/sweep/commands.py) gives one.

"Expected" is the median here: the best of n draws is as likely better as worse than Q(1 - 2^(-1/n)), Q the quantiles of
F (Lourie, Cho & He 2024, arXiv:2311.09480). The mean (Dodge et al. 2019, arXiv:1909.03004) is that of its worst trials
for small n, and has no value where trials fail; its plug-in estimate is biased and its bootstrap intervals are too
short (Tang et al. 2020, arXiv:2004.13705). A failed trial, and one that breaks a constraint, counts as worst.

The band is exact for finite samples and any F, for all n at once: how many of N draws lie below the quantile at q is
binomial, so the i-th best draw bounds it as in Clopper & Pearson (1934), with a tail so small that every n holds at
once with probability LEVEL (found from draws of uniforms). It is open towards the better where N draws cannot rule out
that something better is rare. Images and seconds of n trials are n times their mean in this search.
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

DRAWS = 4_000  # of N uniforms: the level is met to about .003
SIZES = 64  # values of n that carry the band: more would cost seconds, and change little
Floats = NDArray[np.float64]
Unit = Literal["trials", "images", "seconds"]
UNITS: tuple[Unit, ...] = ("trials", "images", "seconds")


class BestOfNCurve(NamedTuple):
    """The best of n = 1, 2, ... draws: its median, and the ends of the band; all turned so that lower is better, inf
    where more than half of such searches end without a score, -inf where the band is open towards the better."""

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
    fewer, more = _count_tails(n, q)
    tail = np.sort(_rarest_tails(n, q, fewer, more))[int(DRAWS * (1 - level))]
    low = (fewer < tail).sum(axis=1)  # ranks up to this one lie below the median, but for the tail
    high = (more >= tail).sum(axis=1)  # ranks from this one on lie above it
    every = np.arange(1, longest + 1)  # between two sizes the curve falls, so the farther bounds hold
    return low[np.searchsorted(sizes, every)], high[np.searchsorted(sizes, every, side="right") - 1]


def _count_tails(n: int, q: Floats) -> tuple[Floats, Floats]:
    """Return the probabilities [sizes, n + 1] that at most, and at least, k of n uniforms lie below each quantile."""
    counts = np.arange(n + 1)
    return binom.cdf(counts, n, q[:, None]), binom.sf(counts - 1, n, q[:, None])


def _rarest_tails(n: int, q: Floats, fewer: Floats, more: Floats) -> Floats:
    """Simulate DRAWS sets of n uniforms: how improbable is the most improbable of the counts of each? [DRAWS]"""
    source = np.random.Generator(np.random.PCG64(n))
    below = np.array([np.searchsorted(np.sort(source.random(n)), q, side="right") for _ in range(DRAWS)])
    sizes = np.arange(len(q))  # below: [DRAWS, sizes], how many of n uniforms lie below each quantile
    rarest: Floats = np.minimum(fewer[sizes, below], more[sizes, below]).min(axis=1)
    return rarest


def random_search_curve(losses: ArrayLike, longest: int | None = None, level: float = LEVEL) -> BestOfNCurve:
    """The curve of n = 1 .. `longest` (None: as many as there are draws) from independent losses [N], inf where a
    trial failed. ValueError for none."""
    y = np.sort(np.asarray(losses, float))
    if not len(y):
        raise ValueError("a curve takes at least 1 draw")
    longest = longest or len(y)
    q = 1 - 0.5 ** (1 / np.arange(1, longest + 1))
    median = y[np.ceil(np.round(q * len(y), 9)).astype(int) - 1]
    low, high = band_ranks(len(y), longest, level)
    held = np.concatenate([[-np.inf], y, [np.inf]])
    return BestOfNCurve(median, held[low], held[high])


def trial_costs(sweep: Sweep) -> pd.DataFrame:
    """The trials that have ended, by number: `loss` (the primary objective, lower is better; inf where it failed or
    broke a constraint), and what each took: `trials` (1), `images`, `seconds`; the last two are nan where no rows were
    read, and 0 where a trial has left none."""
    ended = sweep.trials[sweep.trials["state"].isin(["complete", "pruned", "failed"])]
    scores = ranking.feasible_trials(sweep).set_index("number")["value"].astype(float)
    numbers = ended["number"].astype(int)
    last = pd.DataFrame(columns=["n_images", "wall_s"])
    if len(sweep.rows):
        last = sweep.rows.groupby("number")[["n_images", "wall_s"]].last().reindex(numbers, fill_value=0)
    return pd.DataFrame({
        "number": numbers.to_numpy(),
        "loss": (sweep.sign * numbers.map(scores)).fillna(np.inf).to_numpy(float),
        "trials": 1.0,
        "images": numbers.map(last["n_images"]).to_numpy(float),
        "seconds": numbers.map(last["wall_s"]).to_numpy(float),
    })  # fmt: skip


def why_no_band(sweep: Sweep) -> str:
    """Why the trials of a sweep are no independent draws of one distribution; empty where they are."""
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
    """Those of the `spent` trials that were drawn: not the defaults, nor the points that somebody named."""
    return trials[trials["number"] > len(sweep.manifest.points)]


def best_within(trials: pd.DataFrame, unit: Unit, budget: float) -> float:
    """The lowest loss of the trials that had ended when `budget` was spent, one after the other; inf for none."""
    inside = trials[unit].cumsum() <= budget * (1 + 1e-9)
    return float(trials.loc[inside, "loss"].min()) if inside.any() else float("inf")


class CurveOrder(NamedTuple):
    """Who is ahead at each budget, of two curves: +1 the first, -1 the second, 0 neither (or neither has a score)."""

    budgets: Floats
    median: NDArray[np.int64]
    band: NDArray[np.int64]  # the same where the bands are apart, else 0


def compare_curves(first: BestOfNCurve, second: BestOfNCurve, spacing: tuple[float, float] = (1.0, 1.0)) -> CurveOrder:
    """Two curves at every budget up to the one that both reach; `spacing` is what a draw of each costs. Where the bands
    of both hold, what `band` says holds at all budgets at once."""
    costs = [spacing[i] * np.arange(1, len(one.median) + 1, dtype=np.float64) for i, one in enumerate((first, second))]
    budgets = np.unique(np.concatenate(costs))
    budgets = budgets[budgets <= min(cost[-1] for cost in costs) * (1 + 1e-9)]
    a, b = (_curve_at(one, cost, budgets) for one, cost in zip((first, second), costs, strict=True))
    ahead = np.sign(np.where(a.median == b.median, 0.0, b.median - a.median)).astype(int)
    apart = (a.high < b.low).astype(int) - (b.high < a.low).astype(int)
    return CurveOrder(budgets, ahead, apart)


def _curve_at(one: BestOfNCurve, cost: Floats, budgets: Floats) -> BestOfNCurve:
    """A curve at some budgets: that of as many draws as each of them pays; nothing for none."""
    n = np.searchsorted(cost * (1 - 1e-9), budgets, side="right")
    none = BestOfNCurve(*(np.array([np.inf]) for _ in range(3)))
    return BestOfNCurve(*(np.concatenate([before, ends])[n] for before, ends in zip(none, one, strict=True)))

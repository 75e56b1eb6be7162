"""Two sweeps at equal budget, and whether one is better.

What each had reached when it had spent what both had, in trials, training images and seconds of training: of one
training each, the luckiest of many, so no proof. Where both have been finalized, their picks are compared on test:
by paired differences if the seeds are the same (the exact sign-flip test and the studentised bootstrap of
analysis/base/paired_tests.py), else by Welch's t-test (1947) and its interval, which takes the means to be about
normal. Scores of different stamps do not compare and are refused.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import ttest_ind

from analysis.base.paired_tests import ALPHA, interval, sign_flip
from analysis.read.results import Sweep
from analysis.sweep import final_results, random_search
from analysis.sweep.final_results import Final
from analysis.sweep.random_search import Unit
from trainables.errors import UserError
from trainables.metrics import keys


class BestAtBudget(NamedTuple):
    """What two searches had reached at a budget: scores in the objective's sign, infinite for none; `random` is what as
    many random trials typically reach, where a search was one, as (median, better end, worse end)."""

    unit: Unit
    budget: float
    scores: tuple[float, float]
    trials: tuple[int, int]
    random: tuple[tuple[float, float, float] | None, tuple[float, float, float] | None]


class PickComparison(NamedTuple):
    """The picks on test: `gain` > 0 where the first sweep's is better, with its interval."""

    paired: bool
    picks: tuple[int, int]
    means: tuple[float, float]
    seeds: tuple[int, int]
    gain: float
    low: float
    high: float
    p: float

    @property
    def tied(self) -> bool:
        return not self.p <= ALPHA or not (self.low > 0 or self.high < 0)


class SweepComparison(NamedTuple):
    names: tuple[str, str]
    metric: str
    mode: str
    reached: list[BestAtBudget]
    proof: PickComparison | None
    unproven: list[str]  # directories without a proof


def score_stamp(sweep: Sweep) -> dict[str, Any]:
    """What the objective's value depends on besides the samples: the data, and the metric's part of the stamp."""
    on = keys()[sweep.metric].stamp if sweep.metric in keys() else sorted(sweep.manifest.stamp)
    return {"data": sweep.manifest.data.fingerprint, **{name: sweep.manifest.stamp.get(name) for name in on}}


def check_comparable(first: Sweep, second: Sweep) -> None:
    """UserError, in one line, where the scores of two sweeps mean different things."""
    theirs = [
        {"objective": sweep.metric, "mode": sweep.goal.primary.mode, **score_stamp(sweep)} for sweep in (first, second)
    ]
    for key in dict.fromkeys([*theirs[0], *theirs[1]]):
        a, b = (one.get(key) for one in theirs)
        if a != b:
            cut = [str(value)[:12] if key == "data" else str(value) for value in (a, b)]
            raise UserError(
                f"{first.place.name} and {second.place.name} are scored differently, so their scores cannot be "
                f"compared: {key} {cut[0]} against {cut[1]}"
            )


def compare(first: Sweep, second: Sweep) -> SweepComparison:
    """Two sweeps whose rows were read; UserError where their scores do not compare, or one has no winner."""
    check_comparable(first, second)
    both = (first, second)
    told = [random_search.trial_costs(sweep) for sweep in both]
    units = [unit for unit in random_search.UNITS if all(np.isfinite(one[unit]).all() and len(one) for one in told)]
    proofs = [final_results.load(sweep) for sweep in both]
    return SweepComparison(
        (first.manifest.name, second.manifest.name),
        first.metric,
        first.goal.primary.mode,
        [_best_at_budget(both, told, unit) for unit in units],
        _compare_picks(first, *proofs) if None not in proofs else None,
        [sweep.place.name for sweep, proof in zip(both, proofs, strict=True) if proof is None],
    )


def _best_at_budget(both: tuple[Sweep, Sweep], told: list[Any], unit: Unit) -> BestAtBudget:
    shared = min(float(one[unit].sum()) for one in told)
    scores = [sweep.sign * random_search.best_within(one, unit, shared) for sweep, one in zip(both, told, strict=True)]
    within = [int((one[unit].cumsum() <= shared * (1 + 1e-9)).sum()) for one in told]
    typical = [_random_best(sweep, one, n) for sweep, one, n in zip(both, told, within, strict=True)]
    return BestAtBudget(unit, shared, (scores[0], scores[1]), (within[0], within[1]), (typical[0], typical[1]))


def _random_best(sweep: Sweep, told: Any, n: int) -> tuple[float, float, float] | None:
    drawn = random_search.random_trials(sweep, told)
    if random_search.why_no_band(sweep) or not n:
        return None
    found = random_search.random_search_curve(drawn["loss"], n)
    median, better, worse = (sweep.sign * float(ends[n - 1]) for ends in found)
    return median, better, worse


def _compare_picks(first: Sweep, a: Final | None, b: Final | None) -> PickComparison | None:
    if a is None or b is None or a.meta["test_stamp"] != b.meta["test_stamp"]:
        return None
    seeds = [[one["seed"] for one in each.pick.seeds] for each in (a, b)]
    x, y = a.pick.test, b.pick.test
    paired = seeds[0] == seeds[1]
    if paired:
        known = np.isfinite(x) & np.isfinite(y)
        x, y = x[known], y[known]
        d = first.sign * (y - x)
        ends, p = interval(d), sign_flip(d) if len(d) else 1.0
    else:
        x, y = x[np.isfinite(x)], y[np.isfinite(y)]
        found = ttest_ind(first.sign * y, first.sign * x, equal_var=False)
        ends, p = tuple(found.confidence_interval()), float(found.pvalue)
    low, high = map(float, ends)
    means = float(x.mean()), float(y.mean())
    return PickComparison(
        paired,
        (a.pick.number, b.pick.number),
        means,
        (len(x), len(y)),
        first.sign * (means[1] - means[0]),
        low,
        high,
        p,
    )

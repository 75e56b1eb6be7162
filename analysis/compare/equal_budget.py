"""Compare two sweeps at equal budget, and test whether one of them is better.

The budget is counted in trials, updates, training images and seconds of training. It is the smaller one of what the two
sweeps spent. The best score of a sweep within that budget comes from one training, the luckiest of many, so it is not a
proof.

If both sweeps are finalized, their picks are compared on the test split. If the seeds are the same, this is done by
paired differences (the exact sign-flip test and the studentised bootstrap of analysis/base/paired_tests.py). Otherwise
it is done by Welch's t-test (1947) and its interval, which assume that the means are about normal. Sweeps whose scores
have different stamps cannot be compared and are refused.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import ttest_ind

from analysis.base.paired_tests import ALPHA, interval, sign_flip
from analysis.read.results import Sweep
from analysis.sweep import final_results, random_search
from analysis.sweep.final_results import Final
from analysis.sweep.random_search import Unit
from trainables.errors import UserError
from trainables.metrics import keys


class BestAtBudget(NamedTuple):
    """The best scores of two searches within a budget.

    `scores` are in the objective's own unit, infinite if no trial has a score. If a search was a random one, `random`
    is the best score that as many random trials typically reach, as (median, better end, worse end).
    """

    unit: Unit
    budget: float
    scores: tuple[float, float]
    trials: tuple[int, int]
    random: tuple[tuple[float, float, float] | None, tuple[float, float, float] | None]


class PickComparison(NamedTuple):
    """The picks compared on the test split: `gain` > 0 if the first sweep's pick is better, with its interval."""

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
    unproven: list[str]  # directories of the sweeps that are not finalized


def score_stamp(sweep: Sweep) -> dict[str, Any]:
    """Return what the objective's value depends on besides the samples: the data and the metric's part of the stamp."""
    names = keys()[sweep.metric].stamp if sweep.metric in keys() else sorted(sweep.manifest.stamp)
    model = sweep.manifest.user_model
    own_metrics = {} if model is None else model["facts"].get("metrics", {})
    source = {} if sweep.metric in keys() or model is None else {"model file": model["sha256"]}
    if sweep.metric in own_metrics:
        source = {"code of the metric": own_metrics[sweep.metric]["source"]}
    return {
        "data": sweep.manifest.data.fingerprint,
        **source,
        **{name: sweep.manifest.stamp.get(name) for name in names},
    }


def check_comparable(first: Sweep, second: Sweep) -> None:
    """Raise UserError if the scores of two sweeps cannot be compared."""
    conditions = [
        {"objective": sweep.metric, "mode": sweep.goal.primary.mode, **score_stamp(sweep)} for sweep in (first, second)
    ]
    for key in dict.fromkeys([*conditions[0], *conditions[1]]):
        a, b = (condition.get(key) for condition in conditions)
        if a != b:
            cut = [str(value)[:12] if key == "data" else str(value) for value in (a, b)]
            raise UserError(
                f"{first.place.name} and {second.place.name} are scored differently, so their scores cannot be "
                f"compared: {key} {cut[0]} against {cut[1]}"
            )


def compare(first: Sweep, second: Sweep) -> SweepComparison:
    """Return the comparison of two sweeps whose rows are read; raise UserError if their scores cannot be compared."""
    check_comparable(first, second)
    sweeps = (first, second)
    costs = [random_search.trial_costs(sweep) for sweep in sweeps]
    units = [
        unit for unit in random_search.UNITS if all(np.isfinite(table[unit]).all() and len(table) for table in costs)
    ]
    proofs = [final_results.load(sweep) for sweep in sweeps]
    return SweepComparison(
        (first.manifest.name, second.manifest.name),
        first.metric,
        first.goal.primary.mode,
        [_best_at_budget(sweeps, costs, unit) for unit in units],
        _compare_picks(first, *proofs) if None not in proofs else None,
        [sweep.place.name for sweep, proof in zip(sweeps, proofs, strict=True) if proof is None],
    )


def _best_at_budget(sweeps: tuple[Sweep, Sweep], costs: list[pd.DataFrame], unit: Unit) -> BestAtBudget:
    shared = min(float(table[unit].sum()) for table in costs)
    pairs = list(zip(sweeps, costs, strict=True))
    scores = [sweep.sign * random_search.best_within(table, unit, shared) for sweep, table in pairs]
    within = [int((table[unit].cumsum() <= shared * (1 + 1e-9)).sum()) for table in costs]
    typical = [_random_best(sweep, table, n) for (sweep, table), n in zip(pairs, within, strict=True)]
    return BestAtBudget(unit, shared, (scores[0], scores[1]), (within[0], within[1]), (typical[0], typical[1]))


def _random_best(sweep: Sweep, costs: pd.DataFrame, n: int) -> tuple[float, float, float] | None:
    if random_search.why_no_band(sweep) or not n:
        return None
    curve = random_search.random_search_curve(random_search.random_trials(sweep, costs)["loss"], n)
    median, better, worse = (sweep.sign * float(values[n - 1]) for values in curve)
    return median, better, worse


def _compare_picks(first: Sweep, a: Final | None, b: Final | None) -> PickComparison | None:
    if a is None or b is None or a.content["test_stamp"] != b.content["test_stamp"]:
        return None
    seeds = [[training["seed"] for training in final.pick.seeds] for final in (a, b)]
    x, y = a.pick.test, b.pick.test
    paired = seeds[0] == seeds[1]
    if paired:
        known = np.isfinite(x) & np.isfinite(y)
        x, y = x[known], y[known]
        d = first.sign * (y - x)
        ends, p = interval(d), sign_flip(d) if len(d) else 1.0
    else:
        x, y = x[np.isfinite(x)], y[np.isfinite(y)]
        welch = ttest_ind(first.sign * y, first.sign * x, equal_var=False)
        ends, p = tuple(welch.confidence_interval()), float(welch.pvalue)
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

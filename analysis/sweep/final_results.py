"""What finalize has found: the best of a search trained again over fresh seeds, the same seeds for each.

A search shows the luckiest of many noisy trainings, so its scores are too good. Here each finalist has a score a seed:
on `val`, with the search's own stamp, which tells how much the search flattered it; and on `test`, which neither the
search nor the choice of the epoch has seen. The pick is the best mean on `val` of those that did not fail on more than
half of their seeds, nor break a constraint (on `val`) on more than half of the others, if there are such; everything
that is claimed of it rests on `test`: the interval of its mean, and its paired differences to the other finalists, with
exact sign-flip p-values, corrected by Holm over the comparisons.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.base.paired_tests import ALPHA, holm, interval, sign_flip
from analysis.read.results import Sweep
from trainables.errors import UserError
from trainables.filestore import Directory

FORMAT = 1
Scores = NDArray[np.float64]


class Finalist(NamedTuple):
    """One configuration. `search` is its score in the search, nan where it had none; `val` and `test` have a score per
    seed, nan where that training failed; `failed`, `collapsed` and `broke` (a constraint) count seeds; `seeds` is what
    final.json holds of each training."""

    number: int
    search: float
    val: Scores
    test: Scores
    failed: int
    collapsed: int
    broke: int
    seeds: list[dict[str, Any]]


class PairedResult(NamedTuple):
    """The pick against another finalist on `test`: the mean of the paired differences `gain` (> 0 where the pick is
    better, in the objective's unit) with its interval, over `n` seeds; `effect` is the mean over the standard deviation
    (Cohen's d of paired differences)."""

    number: int
    n: int
    gain: float
    low: float
    high: float
    effect: float
    p: float
    p_holm: float

    @property
    def tied(self) -> bool:
        """Whether these seeds leave open which is better."""
        return not self.p_holm <= ALPHA


class Final(NamedTuple):
    """`meta` is final.json; `finalists` in the order of the search; `against` every one but the pick."""

    meta: dict[str, Any]
    finalists: list[Finalist]
    pick: Finalist
    against: list[PairedResult]


def read_final_json(where: Directory) -> dict[str, Any] | None:
    """What final.json of a sweep's directory holds; None where there is none. UserError where it cannot be read."""
    try:
        meta: dict[str, Any] = json.loads(where.read("final.json"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(f"final.json of {where.name!r} is broken ({error}): delete it, and finalize again") from error
    if meta.get("format") != FORMAT:
        raise UserError(f"final.json of {where.name!r} is not of format {FORMAT}, which is what this gensweep reads")
    return meta


def load(sweep: Sweep) -> Final | None:
    """What finalize found of a sweep; None where it has not ended, or every seed of every finalist failed."""
    meta = read_final_json(sweep.place)
    if meta is None or any(len(one["seeds"]) < meta["seeds"] for one in meta["finalists"]):
        return None
    finalists = [_finalist(one, sweep.metric) for one in meta["finalists"]]
    able = [one for one in finalists if one.failed <= len(one.val) / 2]
    if not able:
        return None
    kept = [one for one in able if one.broke <= (len(one.val) - one.failed) / 2]
    pick = min(kept or able, key=lambda one: (sweep.sign * np.nanmean(one.val), one.number))
    return Final(
        meta, finalists, pick, compare_with_pick(pick, [one for one in finalists if one is not pick], sweep.sign)
    )


def compare_with_pick(pick: Finalist, others: list[Finalist], sign: int) -> list[PairedResult]:
    """The pick against each other finalist; `sign` is +1 where the objective is minimised."""
    found = []
    for other in others:
        d = sign * (other.test - pick.test)
        d = d[np.isfinite(d)]
        if not len(d):
            nothing = float("nan")
            found.append(PairedResult(other.number, 0, nothing, nothing, nothing, nothing, 1.0, 1.0))
            continue
        spread = float(d.std(ddof=1)) if len(d) > 1 else float("nan")
        effect = float(d.mean()) / spread if spread > 0 else float("nan")
        found.append(PairedResult(other.number, len(d), float(d.mean()), *interval(d), effect, sign_flip(d), 1.0))
    corrected = holm([one.p for one in found])
    return [one._replace(p_holm=float(p)) for one, p in zip(found, corrected, strict=True)]


def _finalist(told: dict[str, Any], metric: str) -> Finalist:
    seeds = told["seeds"]
    val = np.array([np.nan if one["val"] is None else one["val"] for one in seeds], float)
    test = np.array([np.nan if one["test"] is None else one["test"][metric] for one in seeds], float)
    search = float("nan") if told["search"] is None else float(told["search"])
    collapsed, broke = (sum(bool(one.get(key)) for one in seeds) for key in ("collapsed", "broke"))
    return Finalist(told["number"], search, val, test, int(np.isnan(val).sum()), collapsed, broke, seeds)


def pick_first(sweep: Sweep, final: Final) -> list[Finalist]:
    """Return the finalists: the pick, then the others by their mean on `test`, those without a score last."""

    def position(finalist: Finalist) -> tuple[bool, bool, float]:
        loss = sweep.sign * mean_of_known(finalist.test)
        return finalist is not final.pick, bool(np.isnan(loss)), loss

    return sorted(final.finalists, key=position)


def mean_of_known(scores: Scores) -> float:
    """Return the mean of the scores that are not nan; nan if there are none."""
    known = scores[np.isfinite(scores)]
    return float(known.mean()) if len(known) else float("nan")


def seeds_to_add(final: Final) -> int:
    """How many more seeds would be enough for that."""
    n, m = len(final.pick.val), len(final.against)
    return next(k for k in range(n, 64) if m * 2.0 ** (1 - k) <= ALPHA) - n

"""What a study says of each claim: supported, not supported, or undecided.

Supported: the paired differences point the way of the claim, their exact sign-flip p, corrected by Holm over the claims
on the same statistic (so over the arms), is at most .05, and the interval of the mean difference leaves out 0. Not
supported: the same, the other way round. Undecided: anything else, a claim that rests on too few seeds included; it is
no proof of no difference.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from analysis.base.paired_tests import ALPHA, holm, interval, sign_flip
from analysis.study.study_results import Study

Word = Literal["supported", "not supported", "undecided"]


class Verdict(NamedTuple):
    """One claim, weighed. `difference` is the mean of arm minus against over `n` pairs of seeds, in the statistic's own
    unit, with its interval; nan where there are too few pairs for one."""

    claim: dict[str, Any]
    n: int
    arm: float
    against: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    word: Word


def decide_claims(study: Study) -> list[Verdict]:
    """Every claim of a study in its order."""
    bare = [_test_claim(study, claim) for claim in study.meta["claims"]]
    found = list(bare)
    for statistic in {claim["statistic"] for claim in study.meta["claims"]}:
        family = [i for i, one in enumerate(bare) if one.claim["statistic"] == statistic and one.n]
        for i, p in zip(family, holm([bare[i].p for i in family]), strict=True):
            found[i] = bare[i]._replace(p_holm=float(p), word=_word(bare[i], float(p)))
    return found


def _test_claim(study: Study, claim: dict[str, Any]) -> Verdict:
    arm, against = study.arms[claim["arm"]].values(claim["statistic"]), claim["against"]
    if isinstance(against, str):
        other = study.arms[against].values(claim["statistic"])
    else:
        other = np.full(len(arm), float(against))
    n = min(len(arm), len(other))  # a study that is still running
    both = np.isfinite(arm[:n]) & np.isfinite(other[:n])
    arm, other = arm[:n][both], other[:n][both]
    if not len(arm):
        nothing = float("nan")
        return Verdict(claim, 0, nothing, nothing, nothing, nothing, nothing, nothing, nothing, "undecided")
    d = arm - other
    low, high = interval(d)
    p = sign_flip(d)
    return Verdict(claim, len(d), arm.mean(), other.mean(), d.mean(), low, high, p, p, "undecided")


def _word(one: Verdict, p: float) -> Word:
    sign = -1 if one.claim["way"] == "lower" else 1
    if p > ALPHA or not (one.low > 0 or one.high < 0):
        return "undecided"
    return "supported" if sign * one.difference > 0 else "not supported"

"""Decide each claim of a study: supported, not supported, or undecided.

A claim is supported if three things hold: the paired differences have the sign that it states; their exact sign-flip p
is at most .05 after Holm's correction over the claims on the same statistic (so over the arms); and the interval of the
mean difference excludes 0. It is not supported if the same holds with the opposite sign. Anything else is undecided,
also a claim with too few seeds. An undecided claim does not prove that the arms are equal.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from analysis.base.paired_tests import ALPHA, holm, interval, sign_flip
from analysis.study.study_results import Study

Word = Literal["supported", "not supported", "undecided"]


class Verdict(NamedTuple):
    """The test of one claim.

    `difference` is the mean of `arm` minus `against` over `n` pairs of seeds, in the unit of the statistic; `low` and
    `high` are its interval, nan if there are too few pairs for one.
    """

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
    """Return the verdict on every claim of a study, in the order of the study file."""
    uncorrected = [_test_claim(study, claim) for claim in study.description["claims"]]
    verdicts = list(uncorrected)
    for statistic in {claim["statistic"] for claim in study.description["claims"]}:
        family = [i for i, verdict in enumerate(uncorrected) if verdict.claim["statistic"] == statistic and verdict.n]
        for i, p in zip(family, holm([uncorrected[i].p for i in family]), strict=True):
            verdicts[i] = uncorrected[i]._replace(p_holm=float(p), word=_word(uncorrected[i], float(p)))
    return verdicts


def _test_claim(study: Study, claim: dict[str, Any]) -> Verdict:
    arm, against = study.arms[claim["arm"]].values(claim["statistic"]), claim["against"]
    if isinstance(against, str):
        other = study.arms[against].values(claim["statistic"])
    else:
        other = np.full(len(arm), float(against))
    n = min(len(arm), len(other))  # they differ while a study is running
    paired = np.isfinite(arm[:n]) & np.isfinite(other[:n])
    arm, other = arm[:n][paired], other[:n][paired]
    if not len(arm):
        nothing = float("nan")
        return Verdict(claim, 0, nothing, nothing, nothing, nothing, nothing, nothing, nothing, "undecided")
    d = arm - other
    low, high = interval(d)
    p = sign_flip(d)
    return Verdict(claim, len(d), arm.mean(), other.mean(), d.mean(), low, high, p, p, "undecided")


def _word(verdict: Verdict, p: float) -> Word:
    sign = -1 if verdict.claim["way"] == "lower" else 1
    if p > ALPHA or not (verdict.low > 0 or verdict.high < 0):
        return "undecided"
    return "supported" if sign * verdict.difference > 0 else "not supported"

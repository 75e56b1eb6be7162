"""Decide each claim of a study: supported, not supported, undecided, or untested.

A claim is supported if three things hold: the paired differences have the sign that it states; their exact sign-flip p
is at most .05 after Holm's correction over the claims on the same statistic (so over the arms); and the interval of the
mean difference excludes 0. It is not supported if the same holds with the opposite sign. Anything else is undecided.
An undecided claim does not prove that the arms are equal.

A claim against each of several arms is as strong as its weakest comparison (an intersection-union test, which needs no
correction of its own: Berger 1982). A claim that two arms are equal is an equivalence test (Schuirmann 1987): supported
if the 90 % interval of the log ratio lies within the margin, not supported if the 95 % interval lies outside of it.

A claim is untested if there are fewer than 8 pairs of seeds, or if a generator was stopped before it is mature by the
rule of trainables/engine/collapse.py. An arm that shows an earlier epoch on purpose is exempt from this.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.base.paired_tests import ALPHA, holm, interval, sign_flip
from analysis.study.study_results import Arm, Study
from trainables.engine.collapse import MATURE_PATH

Word = Literal["supported", "not supported", "undecided", "untested"]
PAIRS = 8  # fewer have no verdict
EQUIVALENCE = 0.90  # level of the interval of an equivalence test with ALPHA on either side


class Verdict(NamedTuple):
    """The test of one claim.

    `difference` is the mean of `arm` minus `against` (of "equal": of the log ratio) over `n` pairs of seeds, in the
    unit of the statistic; `low` and `high` are its 95 % interval, nan if there are too few pairs for one. `rival` is
    the arm, or the constant, that `against` holds the value of. `why` says why a claim is untested.
    """

    claim: dict[str, Any]
    rival: str | float
    n: int
    arm: float
    against: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    word: Word
    why: str = ""


def decide_claims(study: Study) -> list[Verdict]:
    """Return the verdict on every claim of a study, in the order of the study file."""
    verdicts = [_test_claim(study, claim) for claim in study.description["claims"]]
    for statistic in {claim["statistic"] for claim in study.description["claims"]}:
        family = [
            i
            for i, verdict in enumerate(verdicts)
            if verdict.claim["statistic"] == statistic and verdict.claim["way"] != "equal" and not verdict.why
        ]
        for i, p in zip(family, holm([verdicts[i].p for i in family]), strict=True):
            verdicts[i] = verdicts[i]._replace(p_holm=float(p), word=_word(verdicts[i], float(p)))
    return verdicts


def _test_claim(study: Study, claim: dict[str, Any]) -> Verdict:
    against = claim["against"]
    rivals = against if isinstance(against, list) else [against]
    verdicts = [_compare(study, claim, rival) for rival in rivals]
    return max(verdicts, key=lambda verdict: (bool(verdict.why), not _holds(verdict), verdict.p))


def _compare(study: Study, claim: dict[str, Any], rival: str | float) -> Verdict:
    """Return the comparison of a claim's arm with one rival. It has no word yet, unless the claim is untested."""
    arm = study.arms[claim["arm"]].values(claim["statistic"])
    if isinstance(rival, str):
        other = study.arms[rival].values(claim["against_statistic"] or claim["statistic"])
    else:
        other = np.full(len(arm), float(rival))
    n = min(len(arm), len(other))  # they differ while a study is running
    paired = np.isfinite(arm[:n]) & np.isfinite(other[:n])
    arm, other = arm[:n][paired], other[:n][paired]
    if claim["way"] == "equal":
        verdict = _compare_equal(claim, rival, arm, other)
    else:
        d = arm - other
        mean = float(d.mean()) if len(d) else math.nan
        p = sign_flip(d - _shift(claim)) if len(d) else math.nan
        verdict = Verdict(claim, rival, len(d), _mean(arm), _mean(other), mean, *interval(d), p, p, "undecided")
    why = _why_untested(study, claim, rival, verdict.n)
    return verdict._replace(word="untested", why=why) if why else verdict


def _compare_equal(
    claim: dict[str, Any], rival: str | float, arm: NDArray[np.float64], other: NDArray[np.float64]
) -> Verdict:
    ratio = np.log(arm / other)
    low, high = interval(ratio)
    inner, limit = interval(ratio, EQUIVALENCE), math.log(1 + claim["margin"])
    word: Word = "undecided"
    if -limit < inner[0] and inner[1] < limit:
        word = "supported"
    elif low > limit or high < -limit:
        word = "not supported"
    nothing = math.nan
    return Verdict(
        claim, rival, len(ratio), _mean(arm), _mean(other), _mean(ratio), low, high, nothing, nothing, word
    )  # fmt: skip


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _shift(claim: dict[str, Any]) -> float:
    """Return the difference from which on a claim does not hold any more."""
    return float(claim["margin"]) * (1 if claim["way"] == "lower" else -1)


def _holds(verdict: Verdict) -> bool:
    excess = verdict.difference - _shift(verdict.claim)
    return excess < 0 if verdict.claim["way"] == "lower" else excess > 0


def _word(verdict: Verdict, p: float) -> Word:
    shift = _shift(verdict.claim)
    if p > ALPHA or not (verdict.low > shift or verdict.high < shift):
        return "undecided"
    return "supported" if _holds(verdict) else "not supported"


def _why_untested(study: Study, claim: dict[str, Any], rival: str | float, n: int) -> str:
    if n < PAIRS:
        return f"{n} of the {PAIRS} pairs of seeds that a verdict needs"
    arms = [study.arms[name] for name in (claim["arm"], rival) if isinstance(name, str)]
    return next(filter(None, map(_too_young, arms)), "")


def _too_young(arm: Arm) -> str:
    """Say that an arm was stopped too early to judge its generator; return an empty text if it was not."""
    for trial in arm.trials if not arm.epoch else []:
        row = arm.row(trial)
        if row is None or "narrow" not in row:  # training does not teach it to sample
            continue
        tail = "_g" if "lr_g" in trial.config else ""
        updates, rate = row[f"updates{tail}"], trial.config[f"lr{tail}"]
        if updates * rate < MATURE_PATH:
            return f"{arm.name} is too young: {updates:,} updates at {rate:g}, and {MATURE_PATH / rate:,.0f} are needed"
    return ""

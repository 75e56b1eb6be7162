"""Test paired differences over seeds, and give their mean an interval.

The test is the exact sign-flip test (Fisher 1935, "The Design of Experiments", §21). If the true difference is 0,
each paired difference is as likely as its negative. So p is the share of all 2^n sign patterns whose mean is at least
as far from 0 as the observed one. Several comparisons are corrected by Holm's method (1979).

The interval is the studentised bootstrap (Efron & Tibshirani 1993, ch. 12.5). For few and skewed differences it widens
as it should, while the plain percentile interval is too short.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAX_EXACT = 20  # differences that are tested exactly: 20 give a million sign patterns
PATTERNS = 100_000  # sign patterns that are drawn if there are more differences
FEWEST = 5  # differences; with less, a bootstrap means nothing
RESAMPLES = 10_000
LEVEL = 0.95  # of every interval and band
ALPHA = 0.05  # of every test


def sign_flip(differences: ArrayLike) -> float:
    """Return the two-sided p of differences [n].

    It is exact for n <= 20, from 2 / 2^n to 1. For larger n it is estimated from `PATTERNS` random patterns and the
    observed one (Phipson & Smyth 2010, arXiv:1603.05766, eq. 2). Raise ValueError if `differences` is empty.
    """
    d = np.asarray(differences, float)
    if not len(d):
        raise ValueError("the sign-flip test takes at least 1 difference")
    if len(d) <= MAX_EXACT:
        signs = 1 - 2 * (
            np.arange(2 ** len(d))[:, None] >> np.arange(len(d)) & 1
        )  # [2^n, n]; the first is the observed one
    else:
        signs = np.random.Generator(np.random.PCG64(len(d))).choice([-1, 1], (PATTERNS + 1, len(d)))
        signs[0] = 1
    sums = np.abs(signs @ d)
    return float(np.mean(sums >= sums[0] * (1 - 1e-9)))  # equal sums count as equal in spite of rounding


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p-values [m], corrected by Holm's step-down method, in the same order.

    Each p-value is multiplied by the number of hypotheses that are not yet rejected.
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def interval(differences: ArrayLike, level: float = LEVEL, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Return the studentised bootstrap interval of the mean of differences [n]; nan if n < 5.

    The resamples depend on n alone, so a page that is made again shows the same interval.
    """
    d = np.asarray(differences, float)
    n, mean = len(d), float(np.mean(d)) if len(d) else float("nan")
    if n < FEWEST:
        return float("nan"), float("nan")
    error = d.std(ddof=1) / n**0.5
    if error == 0:
        return mean, mean
    resampled = d[np.random.Generator(np.random.PCG64(n)).integers(0, n, (resamples, n))]  # [R, n]
    spread = resampled.std(axis=1, ddof=1) / n**0.5
    t = (resampled.mean(axis=1) - mean)[spread > 0] / spread[spread > 0]
    low, high = np.quantile(t, [(1 - level) / 2, (1 + level) / 2])
    return float(mean - high * error), float(mean - low * error)

"""Paired statistics: numbers worked out by hand, and the coverage of the interval by simulation."""

import math

import numpy as np
import pytest

from analysis.base.paired_tests import holm, interval, sign_flip


def test_sign_flip__by_hand() -> None:
    # of the 8 patterns of (1, 2, 4) only all-plus and all-minus reach a sum of 7
    assert sign_flip([1, 2, 4]) == 2 / 8
    # (3, -1, 2) has sum 4; of the sums 6 4 2 0 0 2 4 6 (each with both signs, in size) four reach it
    assert sign_flip([3, -1, 2]) == 4 / 8
    assert sign_flip([0.1] * 8) == 2 / 256
    assert sign_flip([0.0, 0.0]) == 1.0
    assert sign_flip([0.1, 0.2, -0.3]) == 1.0  # 0.1 + 0.2 - 0.3 is not 0 in floating point


def test_sign_flip__many_differences_or_none() -> None:
    d = np.arange(21) - 8.0
    z = d.sum() / np.sqrt(np.square(d).sum())  # under no difference the sum is nearly normal
    assert sign_flip(d) == pytest.approx(math.erfc(z / 2**0.5), abs=0.02)
    assert sign_flip(d) == sign_flip(d)
    assert sign_flip([1.0] * 30) == 1 / 100_001  # never 0
    with pytest.raises(ValueError, match="at least 1"):
        sign_flip([])


def test_holm__by_hand() -> None:
    # sorted .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04, and a later one is never below an earlier one
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([0.02]) == pytest.approx([0.02])


def test_interval__equal_or_few_differences() -> None:
    assert interval([2.0] * 8) == (2.0, 2.0)
    assert np.isnan(interval([1.0, 2.0, 3.0, 4.0])).all()
    low, high = interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert low < 3 < high
    assert interval([1.0, 2.0, 3.0, 4.0, 5.0]) == (low, high)


@pytest.mark.parametrize(
    ("draw", "mean", "floor"), [("standard_normal", 0.0, 0.93), ("standard_exponential", 1.0, 0.91)]
)
def test_interval__coverage_at_eight_seeds(draw: str, mean: float, floor: float) -> None:
    """Nominal 95 %: 600 draws have a standard error of 0.9 points. The exponential is as skewed as differences get; the
    percentile bootstrap covers 0.89 of the normal and 0.84 of the exponential."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(600):
        low, high = interval(getattr(rng, draw)(8), resamples=1000)
        hits += low <= mean <= high
    assert floor <= hits / 600 <= 0.985

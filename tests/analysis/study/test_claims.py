"""Studies as they are read: pairs of seeds, verdicts on numbers worked out by hand, what follows from rows."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from analysis.study import claims
from analysis.study.study_results import Study


class Fixed(NamedTuple):
    """An arm whose values are given."""

    numbers: list[float]

    def values(self, statistic: str) -> Any:
        return np.array(self.numbers)


def claim(arm: str, way: str, against: Any = "base", statistic: str = "fid") -> dict[str, Any]:
    return {"says": "x", "arm": arm, "way": way, "statistic": statistic, "against": against, "reported": False}


def words(arms: dict[str, list[float]], *stated: dict[str, Any]) -> list[str]:
    made: Any = {name: Fixed(numbers) for name, numbers in arms.items()}
    place: Any = None
    return [one.word for one in claims.decide_claims(Study(place, {"claims": list(stated)}, made))]


BASE = [10.0, 12.0, 11.0, 13.0, 9.0, 10.0, 12.0, 11.0]
BETTER = [value - 2 - 0.1 * i for i, value in enumerate(BASE)]
MIXED = [value + (-1) ** i for i, value in enumerate(BASE)]


def test_claims__direction_and_significance() -> None:
    arms = {"base": BASE, "better": BETTER, "mixed": MIXED}
    assert words(arms, claim("better", "lower")) == ["supported"]
    assert words(arms, claim("better", "higher")) == ["not supported"]
    assert words(arms, claim("mixed", "lower")) == ["undecided"]
    assert words(arms, claim("base", "higher", 5.0)) == ["supported"]
    assert words({"base": BASE, "better": BETTER[:4]}, claim("better", "lower")) == ["undecided"]  # p cannot reach .05


def test_claims__holm_within_one_statistic() -> None:
    arms = {"base": BASE, "better": BETTER}
    six, seven = [claim("better", "lower")] * 6, [claim("better", "lower")] * 7
    assert words(arms, *six) == ["supported"] * 6  # 6 * 2 / 256 = .047
    assert words(arms, *seven) == ["undecided"] * 7  # 7 * 2 / 256 = .055
    other = [claim("better", "lower", statistic="kid")] * 6
    assert words(arms, *six, *other) == ["supported"] * 12


def test_claims__failed_seed_leaves_the_pairs() -> None:
    made: Any = {"base": Fixed(BASE), "better": Fixed([float("nan"), *BETTER[1:]])}
    place: Any = None
    (one,) = claims.decide_claims(Study(place, {"claims": [claim("better", "lower")]}, made))
    assert one.n == 7
    assert one.against == pytest.approx(np.mean(BASE[1:]))
    assert one.difference == pytest.approx(-2.4)

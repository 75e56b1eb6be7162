"""Studies as they are read: pairs of seeds, verdicts on numbers worked out by hand, what follows from rows."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from analysis.study import claims
from analysis.study.study_results import Study


class Fixed(NamedTuple):
    """An arm whose values are given."""

    numbers: list[float]
    epoch: int = 0
    trials: list[Any] = []  # noqa: RUF012
    rows: tuple[dict[str, Any], ...] = ()
    name: str = "arm"

    def row(self, trial: Any) -> dict[str, Any]:
        return self.rows[0]

    def values(self, statistic: str) -> Any:
        return np.array(self.numbers)


def claim(arm: str, way: str, against: Any = "base", statistic: str = "fid", margin: float = 0.0) -> dict[str, Any]:
    about = {"says": "x", "reported": "", "margin": margin, "against_statistic": ""}
    return {**about, "arm": arm, "way": way, "statistic": statistic, "against": against}


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
    assert words({"base": BASE, "better": BETTER[:4]}, claim("better", "lower")) == ["untested"]


def test_claims__margin_weakens() -> None:
    arms = {"base": BASE, "worse": [value + 0.3 + 0.01 * i for i, value in enumerate(BASE)]}
    assert words(arms, claim("worse", "lower")) == ["not supported"]
    assert words(arms, claim("worse", "lower", margin=0.5)) == ["supported"]
    assert words(arms, claim("base", "higher", "worse", margin=0.5)) == ["supported"]
    assert words(arms, claim("base", "higher", "worse", margin=0.1)) == ["not supported"]


def test_claims__weakest_of_several_rivals() -> None:
    arms = {"base": BASE, "better": BETTER, "best": [value - 1 - 0.1 * i for i, value in enumerate(BETTER)]}
    assert words(arms, claim("best", "lower", ["base", "better"])) == ["supported"]
    assert words(arms, claim("better", "lower", ["base", "best"])) == ["not supported"]
    seven = [claim("best", "lower", ["base", "better"])] * 6
    assert words(arms, *seven) == ["supported"] * 6  # a claim counts once, whatever the number of its rivals


def test_claims__equivalence() -> None:
    near = [value * (1.02 + 0.01 * (-1) ** i) for i, value in enumerate(BASE)]
    far = [value * (1.5 + 0.01 * (-1) ** i) for i, value in enumerate(BASE)]
    arms = {"base": BASE, "near": near, "far": far, "mixed": [value * 1.3 ** (-1) ** i for i, value in enumerate(BASE)]}
    stated = [claim(name, "equal", margin=0.15) for name in ("near", "far", "mixed")]
    assert words(arms, *stated) == ["supported", "not supported", "undecided"]


def test_claims__too_young_to_judge() -> None:
    class Young(NamedTuple):
        config: dict[str, float]

    def arm(updates: int, epoch: int = 0) -> Fixed:
        return Fixed(BETTER, epoch, [Young({"lr_g": 2e-4})] * 8, ({"narrow": 0, "updates_g": updates},))

    place: Any = None
    for young, word in ((arm(7_499), "untested"), (arm(7_500), "supported"), (arm(100, epoch=1), "supported")):
        made: Any = {"base": Fixed(BASE), "young": young}
        (verdict,) = claims.decide_claims(Study(place, {"claims": [claim("young", "lower")]}, made))
        assert verdict.word == word
    made = {"base": Fixed(BASE), "young": arm(7_499)}
    (verdict,) = claims.decide_claims(Study(place, {"claims": [claim("young", "lower")]}, made))
    assert "7,500 are needed" in verdict.why


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

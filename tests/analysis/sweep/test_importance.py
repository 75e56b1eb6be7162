"""Importance with error bars: do they cover what ten times the trials say? On a space whose answer is known."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers import sweeps
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from analysis.read import results
from analysis.sweep import importance
from analysis.sweep.importance import BAR_LEVEL, importances_of, shares
from search_spaces.param import Param

pytestmark = pytest.mark.long

pytestmark = pytest.mark.long

KEYS = ["lr", "beta1", "sigma", "width"]
UNIT = FloatDistribution(0.0, 1.0)
N, REPEATS = 30, 6


def trials(n: int, seed: int) -> list[FrozenTrial]:
    """Uniform points; a valley in lr, a slope in beta1, a slight one in sigma, nothing in width, and noise."""
    source = np.random.default_rng(seed)
    points = source.random((n, len(KEYS)))
    score = 4 * (points[:, 0] - 0.4) ** 2 + 0.5 * points[:, 1] + 0.1 * points[:, 2] + 0.05 * source.standard_normal(n)
    ranks = np.argsort(np.argsort(score)).astype(float)
    ranges: dict[str, Any] = dict.fromkeys(KEYS, UNIT)
    return [
        create_trial(
            state=TrialState.COMPLETE,
            value=float(rank),
            params=dict(zip(KEYS, map(float, point), strict=True)),
            distributions=ranges,
        )
        for rank, point in zip(ranks, points, strict=True)
    ]


def test_importance__bars_cover_the_truth() -> None:
    truth = dict(zip(KEYS, shares(trials(10 * N, 999), KEYS, 0), strict=True))
    inside = []
    for seed in range(REPEATS):
        found = importances_of(trials(N, seed), KEYS, seed)
        assert found[0].key == "lr"
        inside += [one.low <= truth[one.key] <= one.high for one in found]
    error = (BAR_LEVEL * (1 - BAR_LEVEL) / len(inside)) ** 0.5
    assert np.mean(inside) >= BAR_LEVEL - 3 * error


def test_importance__more_trials_shorter_bars() -> None:
    few, many = importances_of(trials(20, 1), KEYS), importances_of(trials(60, 1), KEYS)
    assert sum(one.high - one.low for one in many) < sum(one.high - one.low for one in few)
    assert sum(one.share for one in many) == pytest.approx(1)
    assert importances_of(trials(20, 1), KEYS) == few


def test_a_range_in_steps_is_weighed_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = results.load(sweeps.make(tmp_path / "s"))
    space = sweep.manifest.space | {"batch_size": Param("int", 32, 256, step=32)}
    many = pd.concat([sweep.trials] * 10, ignore_index=True).assign(number=lambda table: range(len(table)))
    seen: list[FrozenTrial] = []
    monkeypatch.setattr(importance, "importances_of", lambda trials, keys: seen.extend(trials))
    importance.importances(sweep._replace(manifest=sweep.manifest._replace(space=space), trials=many))
    assert seen[0].distributions["batch_size"] == IntDistribution(32, 256, step=32)

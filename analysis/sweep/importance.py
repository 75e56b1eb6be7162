"""Estimate which parameters mattered, with error bars.

The importance is Optuna's functional ANOVA (Hutter, Hoos & Leyton-Brown 2014). It is the share of the variance of the
score over the whole space that a parameter explains by itself, estimated by a random forest. The shares sum to 1.
Scores are replaced by their ranks first, so that a few diverged trials do not make up all of the variance.

The bars come from subsampling (Politis, Romano & Wolf 1999, ch. 2). HALVES times, half of the trials are drawn without
replacement and the importance is estimated again. Since half of the trials are left out, estimate(half) - estimate(all)
has the spread of estimate(all) - truth, and about its bias (the delete-d jackknife, Shao & Wu 1989). The bias is that a
forest of few trials gives too much importance to parameters that do not matter. How fast it falls is not known. So the
bar covers the estimate and the estimate without the bias, and Z standard deviations beyond. Bootstrap resamples are not
suitable, because a forest memorises repeated trials. Parameters that not every trial has are left out, as in Optuna.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState, create_trial

from analysis.read.results import Sweep
from analysis.sweep import ranking

FEWEST = 20  # scored trials; with less, a forest means nothing
MOST = 200  # trials for a forest, drawn at random if there are more: a thousand would take minutes
HALVES, TREES = 10, 16
BAR_LEVEL, Z = 0.9, 1.645


class Importance(NamedTuple):
    """One parameter: its share of the explained variance, 0..1, with the ends of its bar."""

    key: str
    share: float
    low: float
    high: float


def importances(sweep: Sweep) -> list[Importance]:
    """Return the searched parameters that every scored trial has, the most important first; none for too few trials."""
    scored = ranking.scored_trials(sweep)
    keys = [key for key in sweep.swept if key in scored and not scored[key].isna().any()]
    if len(scored) < FEWEST or len(keys) < 2:
        return []
    ranges = {key: sweep.space[key].to_optuna() for key in keys}
    values = (sweep.sign * scored["value"].astype(float)).rank().tolist()
    points = [{key: line[key] for key in keys} for line in scored.to_dict("records")]
    trials = [
        create_trial(state=TrialState.COMPLETE, value=value, params=point, distributions=ranges)
        for value, point in zip(values, points, strict=True)
    ]
    return importances_of(trials, keys)


def importances_of(trials: list[FrozenTrial], keys: list[str], seed: int = 0) -> list[Importance]:
    """Return the importances from Optuna's trials; `seed` determines the halves."""
    source = np.random.Generator(np.random.PCG64(seed))
    if len(trials) > MOST:
        trials = [trials[i] for i in source.permutation(len(trials))[:MOST]]
    estimate = shares(trials, keys, seed)
    half = len(trials) // 2
    again = np.array(
        [shares([trials[i] for i in source.permutation(len(trials))[:half]], keys, seed + 1 + k) for k in range(HALVES)]
    )  # [HALVES, keys]
    bias, spread = (again - estimate).mean(axis=0), again.std(axis=0, ddof=1)
    low = np.clip(np.minimum(estimate, estimate - bias) - Z * spread, 0, 1)
    high = np.clip(np.maximum(estimate, estimate - bias) + Z * spread, 0, 1)
    order = np.argsort(-estimate, kind="stable")
    return [Importance(keys[i], float(estimate[i]), float(low[i]), float(high[i])) for i in order]


def shares(trials: list[FrozenTrial], keys: list[str], seed: int) -> NDArray[np.float64]:
    """Return the importance of each key; the importances sum to 1."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study()
    study.add_trials(trials)
    by_key = FanovaImportanceEvaluator(n_trees=TREES, seed=seed).evaluate(study, keys)
    importance = np.array([by_key[key] for key in keys])
    return importance / importance.sum() if importance.sum() > 0 else np.full(len(keys), 1 / len(keys))

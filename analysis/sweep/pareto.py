"""The Pareto front of a sweep with several objectives: the trials that no other trial beats.

One trial dominates another where it is at least as good in every objective and better in one (Deb et al. 2002,
doi:10.1109/4235.996017). Like everything here it goes by each trial's best epoch, also that of a stopped one, whereas
Optuna's own `best_trials` leaves the stopped ones out. One training run a configuration.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.base.formatting import format_value, metric_label
from analysis.read.results import Sweep


def objective_losses(sweep: Sweep, numbers: list[int]) -> NDArray[np.float64]:
    """The objectives of these trials [n, m], turned so that lower is better."""
    objectives = sweep.goal.objectives
    found = [[one.loss(sweep.scores[number]) for one in objectives] for number in numbers]
    return np.array(found, float).reshape(len(numbers), len(objectives))


def non_dominated(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether no other row dominates a row of `values` [n, m], of which low ones are good: [n]. Equal rows stay."""
    kept = np.ones(len(values), bool)
    for i, row in enumerate(values):  # n rows at a time: a thousand trials are a thousand small comparisons
        kept[i] = not ((values <= row).all(1) & (values < row).any(1)).any()
    return kept


def spread_over_front(numbers: list[int], k: int) -> list[int]:
    """At most k of a front in its order, both ends first of all and the others evenly between them."""
    return [numbers[i] for i in sorted({round(at) for at in np.linspace(0, len(numbers) - 1, min(k, len(numbers)))})]


def diff_from_defaults(sweep: Sweep, number: int, config: dict[str, Any]) -> str:
    """What a configuration has else than the defaults: `lr=0.003 batch_size=64`."""
    if number == 0:
        return "the defaults"
    other = [key for key in sweep.swept if key in config and config[key] != sweep.manifest.defaults.get(key)]
    return " ".join(f"{key}={format_value(config[key])}" for key in other)


def describe_front(sweep: Sweep, front: list[int], kept: list[int]) -> str:
    """How the `front` of the trials that may win, `kept`, lies: its ends, and where the defaults are."""
    names = " and ".join(metric_label(one.metric) for one in sweep.goal.objectives)
    said = [
        f"{len(front)} of {len(kept)} trials are on the Pareto front: no other trial beats them in {names} at once."
    ]
    for one in sweep.goal.objectives:
        best = min(front, key=lambda number: (one.loss(sweep.scores[number]), number))
        said.append(f"Best {metric_label(one.metric)}: {format_value(sweep.scores[best][one.metric])} (trial {best}).")
    if 0 in kept:
        own = ", ".join(
            f"{metric_label(one.metric)} {format_value(sweep.scores[0][one.metric])}" for one in sweep.goal.objectives
        )
        said.append(f"The defaults (trial 0: {own}) are {'on it' if 0 in front else 'not on it'}.")
    return " ".join(said)

"""Find the Pareto front of a sweep with several objectives: the trials that no other trial dominates.

One trial dominates another if it is at least as good in every objective and better in one of them (Deb et al. 2002,
doi:10.1109/4235.996017). Each trial counts with its best epoch. This includes stopped trials, which Optuna's own
`best_trials` leaves out. Each configuration was trained once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.base.formatting import format_value, metric_label
from analysis.read.results import Sweep


def objective_losses(sweep: Sweep, numbers: list[int]) -> NDArray[np.float64]:
    """Return the losses of these trials [n, m]: their objectives, with the sign changed if higher is better."""
    objectives = sweep.goal.objectives
    losses = [[objective.loss(sweep.scores[number]) for objective in objectives] for number in numbers]
    return np.array(losses, float).reshape(len(numbers), len(objectives))


def non_dominated(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows of `values` [n, m] are not dominated by another row: [n].

    Lower values are better. Equal rows do not dominate each other.
    """
    on_front = np.ones(len(values), bool)
    for i, row in enumerate(values):  # compares n rows at a time, which is fast enough for a thousand trials
        on_front[i] = not ((values <= row).all(1) & (values < row).any(1)).any()
    return on_front


def spread_over_front(numbers: list[int], k: int) -> list[int]:
    """Return at most k trials of a front, in its order: the two ends, and the others evenly between them."""
    places = np.linspace(0, len(numbers) - 1, min(k, len(numbers)))
    return [numbers[i] for i in sorted({round(place) for place in places})]


def diff_from_defaults(sweep: Sweep, number: int, config: dict[str, Any]) -> str:
    """Return the searched keys in which a configuration differs from the defaults: `lr=0.003 batch_size=64`."""
    if number == 0:
        return "the defaults"
    changed = [key for key in sweep.swept if key in config and config[key] != sweep.manifest.defaults.get(key)]
    return " ".join(f"{key}={format_value(config[key])}" for key in changed)


def describe_front(sweep: Sweep, front: list[int], feasible: list[int]) -> str:
    """Describe the `front` of the `feasible` trials: its size, its ends, and whether the defaults are on it."""
    names = " and ".join(metric_label(objective.metric) for objective in sweep.goal.objectives)
    sentences = [
        f"{len(front)} of {len(feasible)} trials are on the Pareto front: no other trial beats them in {names} at once."
    ]
    for objective in sweep.goal.objectives:
        best = min(front, key=lambda number: (objective.loss(sweep.scores[number]), number))
        value = format_value(sweep.scores[best][objective.metric])
        sentences.append(f"Best {metric_label(objective.metric)}: {value} (trial {best}).")
    if 0 in feasible:
        defaults = ", ".join(
            f"{metric_label(objective.metric)} {format_value(sweep.scores[0][objective.metric])}"
            for objective in sweep.goal.objectives
        )
        sentences.append(f"The defaults (trial 0: {defaults}) are {'on it' if 0 in front else 'not on it'}.")
    return " ".join(sentences)

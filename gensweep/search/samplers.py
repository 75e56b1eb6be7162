"""Optuna's samplers by their usual names, each made so that a killed search goes on as it would have.

Proposals depend on (sweep seed, trial number, finished history) alone: each trial gets a fresh inner sampler, seeded by
its number, and each parameter that is drawn by itself a sampler seeded by its name as well. What a sampler has to
remember (the population of NSGA-II, the covariance of CMA-ES, the position in a sequence) Optuna keeps in the study.

TPE is Bergstra et al. 2011 in its multivariate form (Falkner et al. 2018, arXiv:1807.01774), with a group per branch of
a conditional space and the constant liar for trials that are still running.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import optuna
from optuna import samplers
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from search_spaces.param import space_from_json
from trainables.random_streams import derive_seed

Entries = Mapping[str, Mapping[str, Any]]  # the `space` of sweep.json
STARTUP_TRIALS = 5  # random ones first: the defaults are among them, and sweeps here are tens of trials, not hundreds
SEED_BITS = 32  # what numpy's generators take
POPULATION = 16  # of NSGA-II: Optuna's 50 is more than most sweeps here have trials


def _tpe(seed: int, entries: Entries) -> BaseSampler:
    return samplers.TPESampler(
        multivariate=True, group=True, constant_liar=True, n_startup_trials=STARTUP_TRIALS, seed=seed
    )


def _gp(seed: int, entries: Entries) -> BaseSampler:
    return samplers.GPSampler(seed=seed, n_startup_trials=STARTUP_TRIALS, deterministic_objective=False)


def _cmaes(seed: int, entries: Entries) -> BaseSampler:
    alone = samplers.RandomSampler(seed)  # categories, and keys of some branches only
    return samplers.CmaEsSampler(
        seed=seed, n_startup_trials=STARTUP_TRIALS, independent_sampler=alone, warn_independent_sampling=False
    )


def _nsgaii(seed: int, entries: Entries) -> BaseSampler:
    return samplers.NSGAIISampler(seed=seed, population_size=POPULATION)


def _qmc(seed: int, entries: Entries) -> BaseSampler:
    alone = samplers.RandomSampler(seed)
    return samplers.QMCSampler(
        scramble=True,
        seed=seed,
        independent_sampler=alone,
        warn_asynchronous_seeding=False,
        warn_independent_sampling=False,
    )


def _random(seed: int, entries: Entries) -> BaseSampler:
    return samplers.RandomSampler(seed)


def _grid(seed: int, entries: Entries) -> BaseSampler:
    return samplers.GridSampler(grid_values(entries), seed)


def grid_values(entries: Entries) -> dict[str, list[Any]]:
    """The values of a grid: the choices of every searched key; of a number that has a range, none."""
    return {key: list(param.choices) for key, param in space_from_json(entries).items() if param.searched}


SAMPLERS: dict[str, Callable[[int, Entries], BaseSampler]] = {
    "tpe": _tpe,
    "gp": _gp,
    "cmaes": _cmaes,
    "nsgaii": _nsgaii,
    "qmc": _qmc,
    "random": _random,
    "grid": _grid,
}
ONE_SEQUENCE = ("qmc", "grid")  # their points belong together: a new seed for each trial would tear them apart


class SeededByNumber(BaseSampler):
    """A sampler whose every draw is a function of the seed, the trial's number and the finished history."""

    def __init__(self, name: str, seed: int, entries: Entries) -> None:
        self._name, self._seed, self._entries = name, seed, entries
        self._inner = self._make(seed)

    def _make(self, seed: int) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # group, GP and QMC are still so
            return SAMPLERS[self._name](seed, self._entries)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        if self._name not in ONE_SEQUENCE:
            self._inner = self._make(derive_seed(self._seed, "trial", trial.number, bits=SEED_BITS))
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        if self._name == "grid":
            return self._inner.sample_independent(study, trial, param_name, param_distribution)
        alone = self._make(derive_seed(self._seed, "trial", trial.number, param_name, bits=SEED_BITS))
        return alone.sample_independent(study, trial, param_name, param_distribution)

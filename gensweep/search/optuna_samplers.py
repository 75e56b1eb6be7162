"""One function a sampler of Optuna: a seed and the space in, the sampler out.

TPE is Bergstra et al. 2011 in its multivariate form (Falkner et al. 2018, arXiv:1807.01774), with a group per branch of
a conditional space and the constant liar for trials that are still running.
"""

from collections.abc import Mapping
from typing import Any

from optuna import samplers
from optuna.samplers import BaseSampler

from search_spaces.param import Param

Space = Mapping[str, Param]
STARTUP_TRIALS = 5  # random ones first: the defaults are among them, and sweeps here are tens of trials, not hundreds
POPULATION = 16  # of NSGA-II: Optuna's 50 is more than most sweeps here have trials


def tpe(seed: int, space: Space) -> BaseSampler:
    return samplers.TPESampler(
        multivariate=True, group=True, constant_liar=True, n_startup_trials=STARTUP_TRIALS, seed=seed
    )


def gp(seed: int, space: Space) -> BaseSampler:
    return samplers.GPSampler(seed=seed, n_startup_trials=STARTUP_TRIALS, deterministic_objective=False)


def cmaes(seed: int, space: Space) -> BaseSampler:
    independent = samplers.RandomSampler(seed)  # categories, and keys of some branches only
    return samplers.CmaEsSampler(
        seed=seed, n_startup_trials=STARTUP_TRIALS, independent_sampler=independent, warn_independent_sampling=False
    )


def nsgaii(seed: int, space: Space) -> BaseSampler:
    return samplers.NSGAIISampler(seed=seed, population_size=POPULATION)


def qmc(seed: int, space: Space) -> BaseSampler:
    independent = samplers.RandomSampler(seed)
    return samplers.QMCSampler(
        scramble=True,
        seed=seed,
        independent_sampler=independent,
        warn_asynchronous_seeding=False,
        warn_independent_sampling=False,
    )


def random(seed: int, space: Space) -> BaseSampler:
    return samplers.RandomSampler(seed)


def grid(seed: int, space: Space) -> BaseSampler:
    return samplers.GridSampler(grid_values(space), seed)


def grid_values(space: Space) -> dict[str, list[Any]]:
    """Return the values of a grid: the choices of every searched key. A number that has a range has none."""
    return {key: list(param.choices) for key, param in space.items() if param.searched}

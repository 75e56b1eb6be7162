"""Optuna's samplers by their usual names, each made so that a killed search goes on as it would have.

Proposals depend on (sweep seed, trial number, finished history) alone: each trial gets a fresh inner sampler, seeded by
its number, and each parameter that is drawn by itself a sampler seeded by its name as well. What a sampler has to
remember (the population of NSGA-II, the covariance of CMA-ES, the position in a sequence) Optuna keeps in the study.
"""

import threading
import warnings
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from gensweep.config.samplers import SAMPLERS
from gensweep.search import optuna_samplers
from trainables.random_streams import derive_seed

SEED_BITS = 32  # what numpy's generators take
_making = threading.Lock()  # the filters of warnings are those of the whole process: two threads would mix them up


class SeededByNumber(BaseSampler):
    """A sampler whose every draw is a function of the seed, the trial's number and the finished history."""

    def __init__(self, name: str, seed: int, space: optuna_samplers.Space) -> None:
        self._name, self._seed, self._space = name, seed, space
        self._inner = self._make(seed)

    def _make(self, seed: int) -> BaseSampler:
        with _making, warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # group, GP and QMC are still so
            sampler: BaseSampler = getattr(optuna_samplers, self._name)(seed, self._space)
            return sampler

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        if not SAMPLERS[self._name].one_sequence:
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
        independent = self._make(derive_seed(self._seed, "trial", trial.number, param_name, bits=SEED_BITS))
        return independent.sample_independent(study, trial, param_name, param_distribution)

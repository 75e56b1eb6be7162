"""A study in memory whose writes also go to its storage.

A lock lets one driver at a time write to a study, so the storage never holds anything newer than the driver's memory.
Optuna's SQL storage queries the database about ten times a trial; here only writes reach it. A new trial is stored with
all its parameters at once, when `flush` is called.
"""

import copy
from collections.abc import Callable
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from gensweep.search.optuna_internals import params_table, storage_of, store_params, trial_id


class WriteThroughStorage(InMemoryStorage):
    """One study of another storage. A trial's number is also its id here. `push` copies that storage to where it
    outlives this machine."""

    def __init__(self, storage: BaseStorage, name: str, push: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._stored, self.push = storage, push
        self._params = params_table(storage)
        self._home = storage.get_study_id_from_name(name)
        here = super().create_new_study(storage.get_study_directions(self._home), name)
        for key, value in storage.get_study_user_attrs(self._home).items():
            super().set_study_user_attr(here, key, value)
        for key, value in storage.get_study_system_attrs(self._home).items():
            super().set_study_system_attr(here, key, value)
        trials = storage.get_all_trials(self._home, deepcopy=False)
        self._ids: dict[int, int] = {trial.number: trial_id(trial, storage, self._home) for trial in trials}
        for trial in sorted(trials, key=lambda trial: trial.number):
            super().create_new_trial(here, trial)

    def flush(self) -> None:
        """Store the trials that were begun here, with all their parameters."""
        for trial in self.get_all_trials(0, deepcopy=False)[len(self._ids) :]:
            self._store(trial)

    def _store(self, trial: FrozenTrial) -> None:
        if not isinstance(self._stored, RDBStorage) or trial.state != TrialState.RUNNING:
            self._ids[trial.number] = self._stored.create_new_trial(self._home, trial)
            return
        bare = copy.copy(trial)
        bare.params, bare.distributions = {}, {}
        stored = self._ids[trial.number] = self._stored.create_new_trial(self._home, bare)
        store_params(self._stored, self._params, stored, trial)

    def _id(self, trial_id: int) -> int:
        self.flush()
        return self._ids[trial_id]

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        self.flush()
        number = super().create_new_trial(study_id, template_trial)
        if template_trial is not None:
            self.flush()
        return number

    def set_trial_param(self, trial_id: int, name: str, value: float, distribution: BaseDistribution) -> None:
        super().set_trial_param(trial_id, name, value, distribution)
        if trial_id in self._ids:
            self._stored.set_trial_param(self._ids[trial_id], name, value, distribution)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        super().set_trial_system_attr(trial_id, key, value)
        if trial_id in self._ids:
            self._stored.set_trial_system_attr(self._ids[trial_id], key, value)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._stored.set_trial_user_attr(self._id(trial_id), key, value)
        super().set_trial_user_attr(trial_id, key, value)

    def set_trial_intermediate_value(self, trial_id: int, step: int, value: float) -> None:
        self._stored.set_trial_intermediate_value(self._id(trial_id), step, value)
        super().set_trial_intermediate_value(trial_id, step, value)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        done = self._stored.set_trial_state_values(self._id(trial_id), state, values)
        return super().set_trial_state_values(trial_id, state, values) and done

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        self._stored.set_study_user_attr(self._home, key, value)
        super().set_study_user_attr(study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self._stored.set_study_system_attr(self._home, key, value)
        super().set_study_system_attr(study_id, key, value)


def flush(study: Study) -> None:
    """Write everything that the study knows to its storage, wherever that is."""
    storage = storage_of(study)
    if isinstance(storage, WriteThroughStorage):
        storage.flush()
        storage.push()

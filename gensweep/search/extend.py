"""Add trials to a sweep, finished or not, in the same space or in a wider one.

Optuna's samplers use the first range that a parameter ever had. So a study whose space grows is written anew: each old
trial keeps its number and gets the new ranges. The new study counts from the moment when sweep.json names it. A space
can only grow, because no sampler accepts a trial outside its space.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from analysis.read.manifest import SweepManifest
from gensweep.config.resolve import check_keys, configured_space
from gensweep.errors import UserError
from gensweep.search.optuna_internals import contains
from gensweep.search.study_storage import closing_storage, study_directions
from search_spaces.param import Param

if TYPE_CHECKING:
    from search_spaces import Space


def extend_manifest(manifest: SweepManifest, n_trials: int, settings: dict[str, str]) -> tuple[SweepManifest, "Space"]:
    """Return the manifest of the sweep with `n_trials` more, and its space.

    Raises:
        UserError: no trials, or settings that are not valid.
    """
    from search_spaces.walk import describe

    if n_trials < 1:
        raise UserError(f"trials {n_trials} is too small: at least 1 more")
    texts = {**manifest.set, **settings}
    space = configured_space(
        manifest.model, dict(texts), None if "epochs" in texts else manifest.epochs, manifest.precision
    )
    params = describe(space)
    check_keys(manifest.model, space, params)
    grown = manifest._replace(
        set=texts,
        space=params,
        epochs=params["epochs"].largest(),
        trials=manifest.trials + n_trials,
    )
    return grown.normalized(), space


def rewrite_study(directory: Path, old: SweepManifest, new: SweepManifest) -> SweepManifest:
    """Copy the study into one with the new space, if that differs, and return the manifest that names it.

    Raises:
        UserError: an old trial lies outside the new space.
    """
    if new.space == old.space:
        return new
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with closing_storage(directory, old.storage) as storage:
        trials = optuna.load_study(study_name=old.study, storage=storage).get_trials()
        copies = [_with_ranges(trial, new.space) for trial in trials]
        name = _free_name(storage, old.name)
        optuna.create_study(study_name=name, storage=storage, directions=study_directions(old)).add_trials(copies)
    return new._replace(study=name)


def delete_old_study(directory: Path, manifest: SweepManifest, name: str) -> None:
    """Delete the study that the sweep no longer uses."""
    if name != manifest.study:
        with closing_storage(directory, manifest.storage) as storage:
            optuna.delete_study(study_name=name, storage=storage)


def _free_name(storage: BaseStorage, name: str) -> str:
    taken = set(optuna.get_all_study_names(storage))
    return next(other for k in range(2, len(taken) + 3) if (other := f"{name}@{k}") not in taken)


def _with_ranges(trial: FrozenTrial, params: dict[str, Param]) -> FrozenTrial:
    """Return the trial with the new ranges. A key that used to be fixed has no value in the trial and gets none."""
    ranges = {key: params[key].to_optuna() for key in trial.params if key in params and params[key].searched}
    for key, value in trial.params.items():
        if key not in ranges or not contains(ranges[key], value):
            raise UserError(
                f"extend only widens: {key}={value} of trial {trial.number} lies outside; for a narrower search begin "
                "a new sweep with --warm-from"
            )
    trial.distributions = dict(ranges)
    return trial

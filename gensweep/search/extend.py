"""More trials for a sweep, also for a finished one, in the same space or in a wider one.

Optuna's samplers look at a parameter through the first range it ever had, so a study whose space grows is written
anew, each old trial under its own number and with the new ranges; the switch is the moment when sweep.json names the
new study. A space only grows here: a trial outside the new one could not be told to any sampler.
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
from search_spaces.param import Param, space_from_json

if TYPE_CHECKING:
    from search_spaces import Space


def extend_manifest(manifest: SweepManifest, more: int, settings: dict[str, str]) -> tuple[SweepManifest, "Space"]:
    """The manifest of the longer sweep, and its space.

    Raises:
        UserError: no trials, or settings that cannot be.
    """
    from search_spaces.param import space_to_json
    from search_spaces.walk import describe

    if more < 1:
        raise UserError(f"trials {more} is too small: at least 1 more")
    texts = {**manifest.set, **settings}
    space = configured_space(
        manifest.model, dict(texts), None if "epochs" in texts else manifest.epochs, manifest.precision
    )
    params = describe(space)
    check_keys(manifest.model, space, params)
    grown = manifest._replace(
        set=texts,
        space=space_to_json(params),
        epochs=params["epochs"].largest(),
        trials=manifest.trials + more,
    )
    return grown.normalized(), space


def rewrite_study(directory: Path, old: SweepManifest, new: SweepManifest) -> SweepManifest:
    """Copies the study into one with the new space, where that differs; returns the manifest that names it.

    Raises:
        UserError: an old trial lies outside the new space.
    """
    if new.space == old.space:
        return new
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with closing_storage(directory, old.storage) as kept:
        trials = optuna.load_study(study_name=old.study, storage=kept).get_trials()
        moved = [_moved(trial, space_from_json(new.space)) for trial in trials]
        name = _free_name(kept, old.name)
        optuna.create_study(study_name=name, storage=kept, directions=study_directions(old)).add_trials(moved)
    return new._replace(study=name)


def delete_old_study(directory: Path, manifest: SweepManifest, name: str) -> None:
    """Deletes a study that the sweep has left behind."""
    if name != manifest.study:
        with closing_storage(directory, manifest.storage) as kept:
            optuna.delete_study(study_name=name, storage=kept)


def _free_name(kept: BaseStorage, name: str) -> str:
    taken = set(optuna.get_all_study_names(kept))
    return next(other for k in range(2, len(taken) + 3) if (other := f"{name}@{k}") not in taken)


def _moved(trial: FrozenTrial, params: dict[str, Param]) -> FrozenTrial:
    """The trial with the new ranges; a key that used to be fixed has left no value, and stays without one."""
    ranges = {key: params[key].to_optuna() for key in trial.params if key in params and params[key].searched}
    for key, value in trial.params.items():
        if key not in ranges or not contains(ranges[key], value):
            raise UserError(
                f"extend only widens: {key}={value} of trial {trial.number} lies outside; for a narrower search begin "
                "a new sweep with --warm-from"
            )
    trial.distributions = dict(ranges)
    return trial

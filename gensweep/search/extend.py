"""More trials for a sweep, also for a finished one, in the same space or in a wider one.

Optuna's samplers look at a parameter through the first range it ever had, so a study whose space grows is written
anew, each old trial under its own number and with the new ranges; the switch is the moment when sweep.json names the
new study. A space only grows here: a trial outside the new one could not be told to any sampler.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from gensweep.config.manifest import Sheet
from gensweep.config.resolve import check_keys, configured_space, longest_trial
from gensweep.errors import UserError
from gensweep.search.study_storage import closing_storage, study_directions

if TYPE_CHECKING:
    from search_spaces import Space


def extend_manifest(sheet: Sheet, more: int, settings: dict[str, str]) -> tuple[Sheet, "Space"]:
    """The sheet of the longer sweep, and its space.

    Raises:
        UserError: no trials, or settings that cannot be.
    """
    from search_spaces.override import describe

    if more < 1:
        raise UserError(f"trials {more} is too small: at least 1 more")
    texts = {**sheet["set"], **settings}
    space = configured_space(
        sheet["model"], dict(texts), None if "epochs" in texts else sheet["epochs"], sheet["precision"]
    )
    boxes = describe(space)
    check_keys(sheet["model"], space, boxes)
    grown = {**sheet, "set": texts, "space": boxes, "epochs": longest_trial(boxes), "trials": sheet["trials"] + more}
    resolved: Sheet = json.loads(json.dumps(grown))
    return resolved, space


def rewrite_study(directory: Path, old: Sheet, new: Sheet) -> Sheet:
    """Copies the study into one with the new space, where that differs; returns the sheet that names it.

    Raises:
        UserError: an old trial lies outside the new space.
    """
    if new["space"] == old["space"]:
        return new
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with closing_storage(directory, old["storage"]) as kept:
        trials = optuna.load_study(study_name=old["study"], storage=kept).get_trials()
        moved = [_moved(trial, new["space"]) for trial in trials]
        name = _free_name(kept, old["name"])
        optuna.create_study(study_name=name, storage=kept, directions=study_directions(old)).add_trials(moved)
    return {**new, "study": name}


def delete_old_study(directory: Path, sheet: Sheet, name: str) -> None:
    """Deletes a study that the sweep has left behind."""
    if name != sheet["study"]:
        with closing_storage(directory, sheet["storage"]) as kept:
            optuna.delete_study(study_name=name, storage=kept)


def _free_name(kept: BaseStorage, name: str) -> str:
    taken = set(optuna.get_all_study_names(kept))
    return next(other for k in range(2, len(taken) + 3) if (other := f"{name}@{k}") not in taken)


def _moved(trial: FrozenTrial, boxes: dict[str, dict[str, Any]]) -> FrozenTrial:
    """The trial with the new ranges; a key that used to be fixed has left no value, and stays without one."""
    ranges = {key: _distribution(boxes.get(key)) for key in trial.params}
    for key, value in trial.params.items():
        known = ranges[key]
        if known is None or not known._contains(known.to_internal_repr(value)):
            raise UserError(
                f"extend only widens: {key}={value} of trial {trial.number} lies outside; for a narrower search begin "
                "a new sweep with --warm-from"
            )
    trial.distributions = {key: known for key, known in ranges.items() if known is not None}
    return trial


def _distribution(box: dict[str, Any] | None) -> BaseDistribution | None:
    if box is None or box["kind"] == "fixed":
        return None
    if box["kind"] == "categorical":
        return CategoricalDistribution(box["choices"])
    if box["kind"] == "int":
        return IntDistribution(box["low"], box["high"], log=box["log"], step=1 if box["log"] else box.get("step", 1))
    return FloatDistribution(box["low"], box["high"], log=box["log"], step=None if box["log"] else box.get("step"))

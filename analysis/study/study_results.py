"""Read the directory of a study: its arms with their trials. study.json names the directory of each arm's sweep.

The value of a statistic comes from the row of the arm's epoch: the last one, or the one that the study file names.
Trial k of every arm has the same seed, so values are paired by number. A failed trial has no value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.read import results
from analysis.read.results import Sweep, Trial
from analysis.study import trial_statistics
from trainables import filestore
from trainables.filestore import Directory

FORMAT = 2


class Arm(NamedTuple):
    """One arm of a study.

    `epoch` is the epoch whose values count, 0 for the last. `searched` is the number of trials of the arm's search, 0
    if it has none. `search` is that search and `control` the random search beside it, both with their rows.
    """

    name: str
    note: str
    sweep: Sweep
    trials: list[Trial]
    epoch: int
    searched: int
    search: Sweep | None = None
    control: Sweep | None = None

    def row(self, trial: Trial) -> dict[str, Any] | None:
        """Return the evaluated row of a trial at the arm's epoch; None if the trial did not reach it."""
        rows = [row for row in trial.rows if row["status"] == "ok" and row["eval_epoch"] == row["epoch"]]
        chosen = [row for row in rows if row["epoch"] == (self.epoch or row["epochs"])]
        return chosen[-1] if chosen else None

    def values(self, statistic: str) -> NDArray[np.float64]:
        """Return the statistic of each trial [seeds]; nan if the trial failed or has no such value."""
        values = [
            trial_statistics.statistic_value(statistic, self.sweep, trial, self.row(trial)) for trial in self.trials
        ]
        return np.array(values, float)


class Study(NamedTuple):
    """A study on disk. `description` is study.json; `arms` are by name, in the order of the study file."""

    place: Directory
    description: dict[str, Any]
    arms: dict[str, Arm]

    @property
    def wall_s(self) -> float:
        """Return the seconds of all launches together."""
        return float(sum(launch["wall_s"] for launch in self.description["launches"]))

    def shown(self, names: list[str]) -> list[Arm]:
        """Return the arms with these names; all arms if `names` is empty."""
        return [self.arms[name] for name in names or self.arms]


def is_study(directory: str | Path) -> bool:
    """Return whether a directory holds a study."""
    return filestore.open_directory(directory).has("study.json")


def load(directory: str | Path) -> Study:
    """Return the study in a directory, with the rows of all trials.

    Raises:
        UserError: the directory is not a study, or one of its arms has not begun.
    """
    where = filestore.open_directory(directory)
    description = filestore.read_description(where, "study", FORMAT)
    sweeps: dict[str, tuple[Sweep, list[Trial]]] = {}
    arms = {}
    for arm in description["arms"]:
        path = arm["directory"]
        if path not in sweeps:
            sweep = results.load(f"{where.name.rstrip('/')}/{path}")
            sweeps[path] = (sweep, [results.read_trial(sweep, int(number)) for number in sweep.trials["number"]])
        beside = [_beside(where, path, kind) if has else None for kind, has in _searches(arm)]
        arms[arm["name"]] = Arm(arm["name"], arm["note"], *sweeps[path], arm["at"], arm["searched"], *beside)
    return Study(where, description, arms)


def _searches(arm: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return the kinds of search with whether the arm has one.

    An arm that only names an epoch of another arm has no search. A study of an earlier version has no control.
    """
    return [("search", bool(arm["searched"])), ("random", bool(arm.get("control")))]


def _beside(where: Directory, path: str, kind: str) -> Sweep:
    return results.read_rows(results.load(f"{where.name.rstrip('/')}/{path}-{kind}"))

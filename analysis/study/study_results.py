"""A study's directory as arms with their trials: the reader of study.json, which says where each arm's sweep lies.

A trial's value of a statistic is taken from the row of the arm's epoch: its last one, or the one that the arm is looked
at. Trial k of every arm has the same seed, so values are paired by number; a trial that failed has no value.
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

FORMAT = 1


class Arm(NamedTuple):
    """One arm: `at` is the epoch at which it is looked at, 0 the last; `searched` the trials of its search, 0 none.
    `search` is that search, and `control` the random search beside it, with their rows."""

    name: str
    note: str
    sweep: Sweep
    trials: list[Trial]
    at: int
    searched: int
    search: Sweep | None = None
    control: Sweep | None = None

    def row(self, trial: Trial) -> dict[str, Any] | None:
        """The evaluated row of a trial at the arm's epoch; None where the trial never came there."""
        rows = [row for row in trial.rows if row["status"] == "ok" and row["eval_epoch"] == row["epoch"]]
        chosen = [row for row in rows if row["epoch"] == (self.at or row["epochs"])]
        return chosen[-1] if chosen else None

    def values(self, statistic: str) -> NDArray[np.float64]:
        """The statistic of each trial [seeds]; nan where a trial failed or has no such value."""
        found = [
            trial_statistics.statistic_value(statistic, self.sweep, trial, self.row(trial)) for trial in self.trials
        ]
        return np.array(found, float)


class Study(NamedTuple):
    """`meta` is study.json; `arms` by name, in the order of the study file."""

    place: Directory
    meta: dict[str, Any]
    arms: dict[str, Arm]

    @property
    def wall_s(self) -> float:
        """The seconds of all its launches together."""
        return float(sum(launch["wall_s"] for launch in self.meta["launches"]))

    def shown(self, names: list[str]) -> list[Arm]:
        """The arms of these names, or all."""
        return [self.arms[name] for name in names or self.arms]


def is_study(directory: str | Path) -> bool:
    return filestore.open_directory(directory).has("study.json")


def load(directory: str | Path) -> Study:
    """The study in a directory, with the rows of all trials; UserError where there is none, or an arm has not begun."""
    where = filestore.open_directory(directory)
    meta = filestore.read_description(where, "study", FORMAT)
    sweeps: dict[str, tuple[Sweep, list[Trial]]] = {}
    arms = {}
    for arm in meta["arms"]:
        path = arm["directory"]
        if path not in sweeps:
            sweep = results.load(f"{where.name.rstrip('/')}/{path}")
            sweeps[path] = (sweep, [results.read_trial(sweep, int(number)) for number in sweep.trials["number"]])
        beside = [_beside(where, path, kind) if has else None for kind, has in _searches(arm)]
        arms[arm["name"]] = Arm(arm["name"], arm["note"], *sweeps[path], arm["at"], arm["searched"], *beside)
    return Study(where, meta, arms)


def _searches(arm: dict[str, Any]) -> list[tuple[str, bool]]:
    """Which searches an arm has of its own: one that it only looks at has none, nor has one of an earlier version."""
    return [("search", bool(arm["searched"])), ("random", bool(arm.get("control")))]


def _beside(where: Directory, path: str, kind: str) -> Sweep:
    return results.read_rows(results.load(f"{where.name.rstrip('/')}/{path}-{kind}"))

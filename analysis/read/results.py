"""Read a sweep directory as tidy data frames. Nothing else reads the files that `gensweep run` writes for a trial.

Opening a sweep reads only `sweep.json` and the Optuna study, so that a thousand trials open in under two seconds. Rows
and full configurations are read later, for the trials that a caller names. If a resumed trial has reported an epoch
twice, the last row counts. A line that a kill has cut off is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from analysis.read import optuna_study
from analysis.read.manifest import SweepManifest, read_manifest
from search_spaces.param import Param
from trainables import filestore, objective
from trainables.errors import UserError
from trainables.filestore import Directory
from trainables.objective import Goal, Values, is_valid_evaluation

STATE_NAMES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "open",
    TrialState.WAITING: "waiting",
}
COLUMNS = ["number", "state", "reason", "error", "value", "best_epoch", "epochs_done", "wall_s"]
# Keys of a row that are not measurements, besides best_epoch and best_KEY.
BOOKKEEPING = ("epoch", "epochs", "status", "eval_epoch", "wall_s", "best")


class Sweep(NamedTuple):
    """One sweep.

    trials: one row per trial, indexed 0.. in order of `number`. The columns are number, state (open, waiting, complete,
        pruned, failed), reason, error, value (the primary objective at the best evaluated epoch), best_epoch,
        epochs_done, wall_s [seconds], then the configuration; after `read_rows` also every metric at the best epoch.
    rows: one row per trial and epoch that was read, with the trial's number.
    history: the primary objective at every evaluated epoch of every trial: number, epoch, value.
    scores: by the number of each trial that has a best epoch, the values of the goal's metrics at that epoch.
    """

    place: Directory
    manifest: SweepManifest
    trials: pd.DataFrame
    rows: pd.DataFrame
    history: pd.DataFrame
    scores: dict[int, Values]

    @property
    def goal(self) -> Goal:
        return self.manifest.goal

    @property
    def metric(self) -> str:
        """Return the metric of the primary objective."""
        return self.goal.primary.metric

    @property
    def sign(self) -> int:
        """Return +1 if the primary objective is minimised, -1 if it is maximised: a lower sign * value is better."""
        return 1 if self.goal.primary.mode == "min" else -1

    @property
    def space(self) -> dict[str, Param]:
        """Return the keys of the space with their parameters."""
        return self.manifest.space

    @property
    def swept(self) -> list[str]:
        """Return the keys that are searched."""
        return self.manifest.searched


class Trial(NamedTuple):
    """What one trial wrote: its seed, its configuration, its rows in order of epoch, and the row of its best epoch.

    A trial that has not written anything yet has no seed and an empty configuration.
    """

    number: int
    seed: int | None
    config: dict[str, Any]
    rows: list[dict[str, Any]]
    best: dict[str, Any] | None


def load(directory: str | Path) -> Sweep:
    """Return the sweep in a local directory or at a URL, without its rows; raise UserError if there is none.

    A sweep that was killed before its first trial has no trials.
    """
    place = filestore.open_directory(directory)
    manifest = read_manifest(place)
    recorded = optuna_study.read_trials(place, manifest)
    goal = manifest.goal
    by_epoch = {trial.number: objective.values_by_epoch(trial, goal.primary.metric) for trial in recorded}
    best = {number: goal.best(values) for number, values in by_epoch.items()}
    scores = {number: by_epoch[number][epoch] for number, epoch in best.items() if epoch is not None}
    fixed = {key: param.value for key, param in manifest.space.items() if not param.searched}
    points = [
        (number, epoch, values[goal.primary.metric])
        for number, epochs in by_epoch.items()
        for epoch, values in epochs.items()
    ]
    history = pd.DataFrame(points, columns=["number", "epoch", "value"]).sort_values(["number", "epoch"])
    trials = pd.DataFrame(
        [
            _trial_line(trial, by_epoch[trial.number], best[trial.number], goal) | fixed | trial.params
            for trial in recorded
        ]
    )
    if trials.empty:
        trials = pd.DataFrame(
            columns=["number", "state", "reason", "error", "value", "best_epoch", "epochs_done", "wall_s"]
        )
    return Sweep(place, manifest, trials, pd.DataFrame(), history.reset_index(drop=True), scores)


def read_rows(sweep: Sweep, numbers: Iterable[int] | None = None) -> Sweep:
    """Return the sweep with the rows and full configurations of these trials (None: of all), read from `trials/`.

    A trial that has not written files yet keeps what the study reports of it.
    """
    wanted = [int(number) for number in (sweep.trials["number"] if numbers is None else numbers)]
    with ThreadPoolExecutor(8) as pool:  # a bucket takes tens of milliseconds for each file
        trials = list(pool.map(lambda number: read_trial(sweep, number), wanted))
    rows = pd.DataFrame([{"number": trial.number} | row for trial in trials for row in trial.rows])
    scores = sweep.scores | {trial.number: sweep.goal.values(trial.best) for trial in trials if trial.best is not None}
    table = sweep.trials.set_index("number", drop=False)
    for trial in trials:
        for column, value in (trial.config | _row_columns(trial, sweep)).items():
            if column not in table:
                table[column] = pd.Series(np.nan, index=table.index, dtype=object)
            table.at[trial.number, column] = value
    return sweep._replace(trials=table.infer_objects().reset_index(drop=True), rows=rows, scores=scores)


def read_trial(sweep: Sweep, number: int) -> Trial:
    """Return the content of one trial's files; what the trial has not written yet is empty."""
    try:
        params: Any = json.loads(sweep.place.read(f"{trial_folder(number)}/params.json"))
    except (FileNotFoundError, json.JSONDecodeError):
        return Trial(number, None, {}, [], None)
    try:
        rows = parse_rows(sweep.place.read(f"{trial_folder(number)}/rows.jsonl"))
    except FileNotFoundError:
        rows = []
    if not isinstance(params, dict) or not {"seed", "config"} <= set(params):
        raise UserError(f"{trial_folder(number)}/params.json of {sweep.place.name!r} is not that of a trial")
    if any(not {"epoch", "epochs", "status", "eval_epoch"} <= set(row) for row in rows):
        raise UserError(f"{trial_folder(number)}/rows.jsonl of {sweep.place.name!r} has rows that no trial writes")
    return Trial(number, params["seed"], params["config"], rows, best_row(sweep.goal, rows))


def best_row(goal: Goal, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the row of the best epoch; None if no epoch counts."""
    evaluated = {row["epoch"]: row for row in rows if is_valid_evaluation(row, goal.primary.metric)}
    best = goal.best({epoch: goal.values(row) for epoch, row in evaluated.items()})
    return None if best is None else evaluated[best]


def is_measured(key: str) -> bool:
    """Return whether a key of a row is a measurement, and not bookkeeping of the sweep."""
    return key not in BOOKKEEPING and not key.startswith("best_")


def trial_folder(number: int) -> str:
    """Return the folder of a trial, relative to the sweep's directory."""
    return f"trials/{number:04d}"


def _trial_line(trial: FrozenTrial, by_epoch: dict[int, Values], best: int | None, goal: Goal) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": STATE_NAMES[trial.state],
        "reason": trial.user_attrs.get("reason", "unclassified") if trial.state == TrialState.FAIL else None,
        "error": trial.user_attrs.get("error"),
        "value": np.nan if best is None else by_epoch[best][goal.primary.metric],
        "best_epoch": np.nan if best is None else best,
        "epochs_done": max(by_epoch, default=0),
        "wall_s": trial.duration.total_seconds() if trial.duration is not None else np.nan,
    }


def parse_rows(content: bytes) -> list[dict[str, Any]]:
    """Return the rows of a rows.jsonl in order of epoch, the last one of each epoch, without incomplete lines."""
    latest: dict[int, dict[str, Any]] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue  # cut off by a kill; the resumed trial wrote the epoch again
        if isinstance(row, dict) and "epoch" in row:
            latest[row["epoch"]] = row
    return [latest[epoch] for epoch in sorted(latest)]


def _row_columns(trial: Trial, sweep: Sweep) -> dict[str, Any]:
    """Return what the rows of a trial add to its line: its progress, and every metric at its best evaluated epoch."""
    if not trial.rows:
        return {}
    line = {"epochs_done": trial.rows[-1]["epoch"], "wall_s": trial.rows[-1]["wall_s"]}
    if trial.best is None:
        return line
    # A key of the configuration keeps its column: `precision` is both arithmetic and a metric.
    measured = {key: value for key, value in trial.best.items() if is_measured(key) and key not in trial.config}
    return line | {"value": trial.best[sweep.metric], "best_epoch": trial.best["epoch"]} | measured

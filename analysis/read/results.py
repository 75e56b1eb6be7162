"""A sweep directory as tidy frames: the only reader of the files that `gensweep run` leaves.

Opening a sweep reads `sweep.json` and the Optuna study, both read-only, so that a thousand trials open in under two
seconds; rows and full configurations are read for the trials that a caller names. Two things differ from a plain
reading: of an epoch reported twice (a trial that was resumed) the last row counts, and a line that a kill tore is
passed over.
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
from search_spaces.param import Param, space_from_json
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
BOOKKEEPING = (
    "epoch",
    "epochs",
    "status",
    "eval_epoch",
    "wall_s",
    "best",
)  # of a row, besides best_epoch and best_KEY


class Sweep(NamedTuple):
    """One sweep. `trials`: a row a trial, indexed 0.. in order of `number`, with the columns number, state (open,
    waiting, complete, pruned, failed), reason, error, value (the primary objective at the best evaluated epoch),
    best_epoch, epochs_done, wall_s [seconds], then the configuration; after `read` also every metric at the best epoch.
    `rows`: a row per trial and epoch that was read, with its number. `history`: the primary objective at every
    evaluated epoch of every trial, with the columns number, epoch, value. `scores`: of each trial that has a best
    epoch, by its number, all that the goal is about there.
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
        """The primary objective's."""
        return self.goal.primary.metric

    @property
    def sign(self) -> int:
        """+1 where the primary objective is minimised, -1 where it is maximised: sign * value is always to be small."""
        return 1 if self.goal.primary.mode == "min" else -1

    @property
    def space(self) -> dict[str, Param]:
        """The keys of the space."""
        return space_from_json(self.manifest.space)

    @property
    def swept(self) -> list[str]:
        """The keys that the space leaves open."""
        return self.manifest.searched


class Trial(NamedTuple):
    """What one trial wrote: its seed and configuration, its rows in order of epoch, the row of its best evaluated
    epoch. A trial that has not begun to write has no seed and an empty configuration."""

    number: int
    seed: int | None
    config: dict[str, Any]
    rows: list[dict[str, Any]]
    best: dict[str, Any] | None


def load(directory: str | Path) -> Sweep:
    """The sweep in a local directory or at a URL, without its rows; UserError where there is none. One that was killed
    before its first trial has no trials."""
    where = filestore.open_directory(directory)
    manifest = read_manifest(where)
    found = optuna_study.read_trials(where, manifest)
    goal = manifest.goal
    seen = {one.number: objective.values_by_epoch(one, goal.primary.metric) for one in found}
    best = {number: goal.best(told) for number, told in seen.items()}
    scores = {number: seen[number][epoch] for number, epoch in best.items() if epoch is not None}
    fixed = {key: param.value for key, param in space_from_json(manifest.space).items() if not param.searched}
    told = [(number, epoch, values[goal.primary.metric]) for number, at in seen.items() for epoch, values in at.items()]
    history = pd.DataFrame(told, columns=["number", "epoch", "value"]).sort_values(["number", "epoch"])
    trials = pd.DataFrame(
        [_trial_line(one, seen[one.number], best[one.number], goal) | fixed | one.params for one in found]
    )
    if trials.empty:
        trials = pd.DataFrame(
            columns=["number", "state", "reason", "error", "value", "best_epoch", "epochs_done", "wall_s"]
        )
    return Sweep(where, manifest, trials, pd.DataFrame(), history.reset_index(drop=True), scores)


def read_rows(sweep: Sweep, numbers: Iterable[int] | None = None) -> Sweep:
    """The sweep with the rows and full configurations of these trials (None: of all) read from `trials/`.

    Trials that have left no files yet stay as the study tells them.
    """
    wanted = [int(number) for number in (sweep.trials["number"] if numbers is None else numbers)]
    with ThreadPoolExecutor(8) as pool:  # a bucket answers in tens of milliseconds
        found = list(pool.map(lambda number: read_trial(sweep, number), wanted))
    rows = pd.DataFrame([{"number": one.number} | row for one in found for row in one.rows])
    scores = sweep.scores | {one.number: sweep.goal.values(one.best) for one in found if one.best is not None}
    table = sweep.trials.set_index("number", drop=False)
    for one in found:
        for column, value in (one.config | _row_columns(one, sweep)).items():
            if column not in table:
                table[column] = pd.Series(np.nan, index=table.index, dtype=object)
            table.at[one.number, column] = value
    return sweep._replace(trials=table.infer_objects().reset_index(drop=True), rows=rows, scores=scores)


def read_trial(sweep: Sweep, number: int) -> Trial:
    """The files of one trial; what a trial has not written yet is empty."""
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
    goal = sweep.goal
    fresh = {row["epoch"]: row for row in rows if is_valid_evaluation(row, goal.primary.metric)}
    best = goal.best({epoch: goal.values(row) for epoch, row in fresh.items()})
    return Trial(number, params["seed"], params["config"], rows, None if best is None else fresh[best])


def is_measured(key: str) -> bool:
    """Whether a key of a row is a measurement, and not what the sweep keeps its books by."""
    return key not in BOOKKEEPING and not key.startswith("best_")


def trial_folder(number: int) -> str:
    """The folder of a trial below the sweep's directory."""
    return f"trials/{number:04d}"


def _trial_line(trial: FrozenTrial, seen: dict[int, Values], best: int | None, goal: Goal) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": STATE_NAMES[trial.state],
        "reason": trial.user_attrs.get("reason", "unclassified") if trial.state == TrialState.FAIL else None,
        "error": trial.user_attrs.get("error"),
        "value": np.nan if best is None else seen[best][goal.primary.metric],
        "best_epoch": np.nan if best is None else best,
        "epochs_done": max(seen, default=0),
        "wall_s": trial.duration.total_seconds() if trial.duration is not None else np.nan,
    }


def parse_rows(content: bytes) -> list[dict[str, Any]]:
    """The rows of a rows.jsonl in order of epoch: the last row of an epoch counts, torn lines are passed over."""
    latest: dict[int, dict[str, Any]] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue  # torn by a kill; the resumed trial wrote the epoch again
        if isinstance(row, dict) and "epoch" in row:
            latest[row["epoch"]] = row
    return [latest[epoch] for epoch in sorted(latest)]


def _row_columns(one: Trial, sweep: Sweep) -> dict[str, Any]:
    """What the rows of a trial add to its line: how far it came, and every metric at its best evaluated epoch."""
    if not one.rows:
        return {}
    line = {"epochs_done": one.rows[-1]["epoch"], "wall_s": one.rows[-1]["wall_s"]}
    if one.best is None:
        return line
    # A key of the configuration keeps its column: `precision` is both arithmetic and a metric.
    measured = {key: value for key, value in one.best.items() if is_measured(key) and key not in one.config}
    return line | {"value": one.best[sweep.metric], "best_epoch": one.best["epoch"]} | measured

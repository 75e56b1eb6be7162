"""The Ray Tune function: epochs in, trial files and reports out. The only file of this room that knows Ray.

Everything lasting is written to the trial's own directory before Tune hears of it: samples, the best weights, the
checkpoint (which holds its row), the row. So whatever is killed, a later attempt starts from the newest good
checkpoint, tells its row once more, and goes on to the same numbers. Tune's own files are disposable.
"""

import ctypes
import socket
import time
from contextlib import closing, suppress
from typing import Any

import torch
from ray import tune

from trainables import MODELS, TRAINABLES
from trainables.data import Dataset
from trainables.engine.evaluate import COLUMNS
from trainables.engine.loop import Epoch
from trainables.engine.state import Data
from trainables.errors import UserError
from trainables.metrics import METRICS, Evaluator, load_extractor
from trainables.objective import Goal, Values, is_valid_evaluation
from trainables.random_streams import derive_seed
from trainables.trial_files import TrialFiles

REPORT_EVERY_S = 1.0  # between evaluations a trial reports no faster than this
CHECKPOINT_EVERY_S = 20.0  # between evaluations a trial saves no faster than this


def trial_resources() -> tuple[str, int]:
    """The device and the number of threads that Tune gave to this trial; never a GPU that it was not given."""
    given = tune.get_context().get_trial_resources().required_resources
    return ("cuda" if given.get("GPU", 0) > 0 else "cpu"), max(1, int(given.get("CPU", 1)))


class TrialWriter:
    """Hands each epoch of one trial to its directory and to Tune."""

    def __init__(self, files: TrialFiles, about: dict[str, Any], goal: Goal) -> None:
        self.files, self.about, self.goal = files, about, goal
        self.best: Values | None = None
        self.best_epoch = 0
        self.reported_s = self.saved_s = time.monotonic()

    def write(self, epoch: Epoch) -> None:
        """Write what an epoch leaves behind; its row gains ``host``, ``best``, ``best_epoch`` and what else
        the goal marks."""
        row, evaluated, now = epoch.row, epoch.samples is not None, time.monotonic()
        row["host"] = socket.gethostname()
        if evaluated and row["status"] == "ok":
            self._consider(epoch)
        self.goal.mark(row, self.best, self.best_epoch)
        if epoch.samples is not None:
            self.files.save_samples(row["epoch"], epoch.samples, COLUMNS)
        if evaluated or row["status"] != "ok" or now - self.saved_s > CHECKPOINT_EVERY_S:
            self.files.save_checkpoint(epoch.snapshot())
            self.saved_s = now
        self.files.append_row(row)
        if evaluated:
            _trim_memory()

    def _consider(self, epoch: Epoch) -> None:
        row = epoch.row
        for metric in METRICS.values():
            missing = metric.keys.keys() & set(self.goal.keys) - row.keys() if metric.when == "each" else ()
            if missing:  # said at the first evaluation, since no later one would have it either
                raise UserError(f"trials of {self.about['model']!r} on this data have no {' and no '.join(missing)}")
        values = self.goal.values(row)
        if not is_valid_evaluation(row, self.goal.primary.metric) or not self.goal.counts(values):
            return
        if self.best is None or self.goal.order(values) < self.goal.order(self.best):
            self.best, self.best_epoch = values, row["epoch"]
            self.files.save_best(epoch.weights(), {**self.about, "row": row})

    def replay(self, row: dict[str, Any]) -> None:
        """Take up a row that an earlier attempt left in its checkpoint."""
        self.best, self.best_epoch = self.goal.marked(row), row["best_epoch"]
        self.files.append_row(row)

    def report(self, row: dict[str, Any], number: int) -> None:
        """Tell Tune: every evaluation, the end, and about once a second between them."""
        now, over = time.monotonic(), row["status"] != "ok" or row["epoch"] == row["epochs"]
        if over or row["eval_epoch"] == row["epoch"] or now - self.reported_s > REPORT_EVERY_S:
            self.reported_s = now
            failed = row["status"] != "ok"  # a stale good score must not raise the scheduler's bar
            unknown = {self.goal.primary.metric: float("nan")}
            tune.report({**unknown, **row, "number": number, **(unknown if failed else {})})


def _trim_memory() -> None:
    """Returns to the system what an evaluation has freed: glibc keeps it, and workers share one machine."""
    with suppress(AttributeError, OSError):  # no glibc
        ctypes.CDLL(None).malloc_trim(0)


def train(
    config: dict[str, Any],
    *,
    model: str,
    data: Dataset,
    evaluator: Evaluator,
    directory: str,
    goal: Goal,
    sweep_seed: int,
) -> None:
    """One trial as Ray Tune runs it. ``config`` holds the model's keys and the trial's ``number``; ``directory`` is the
    sweep's ``trials/`` folder, a path or a URL."""
    number = int(config["number"])
    config = {key: value for key, value in config.items() if key != "number"}
    device, threads = trial_resources()
    torch.set_num_threads(threads)
    seed = derive_seed(sweep_seed, "trial", number)
    files = TrialFiles(directory, number)
    about = {"number": number, "seed": seed, "model": model, "config": config}
    files.write_params(about)
    extractor = load_extractor(evaluator, device) if MODELS[model].samples(config) else None
    state = files.newest_checkpoint()
    files.cut_rows(before=state["epoch"] if state else 0)
    writer = TrialWriter(files, about, goal)
    with closing(TRAINABLES[model](config, Data(data.to(device), evaluator, extractor, device), seed, state)) as epochs:
        for epoch in epochs:
            if state is not None and epoch.row["epoch"] == state["epoch"]:
                writer.replay(epoch.row)
            else:
                writer.write(epoch)
            writer.report(epoch.row, number)

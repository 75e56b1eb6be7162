"""The Ray Tune function: it trains a model, writes the trial's files and reports to Tune.

No other file of this package imports Ray. Whatever must last is written to the trial's directory before it is reported:
samples, the best weights, the checkpoint (which holds its row) and the row. If a process is killed, a later attempt
starts from the newest readable checkpoint, reports its row once more, and computes the same numbers. Tune's own files
are not needed.
"""

import ctypes
import socket
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from typing import Any

import torch
from ray import tune

from trainables.data import Dataset
from trainables.engine.evaluate import COLUMNS
from trainables.engine.loop import Epoch
from trainables.engine.loop import train as train_model
from trainables.engine.state import Data
from trainables.errors import UserError
from trainables.metrics import METRICS, Evaluator, keys, load_extractor
from trainables.objective import Goal, Values, is_valid_evaluation
from trainables.random_streams import derive_seed
from trainables.trial_files import TrialFiles
from trainables.user_model.metrics import reason
from trainables.user_model.model import MetricFacts, UserModel
from trainables.user_model.registry import USER_MODELS, find_model
from trainables.user_model.train import train_user
from trainables.user_model.trial import TrialInfo

REPORT_EVERY_S = 1.0  # between evaluations a trial reports no faster than this
CHECKPOINT_EVERY_S = 20.0  # between evaluations a trial saves no faster than this


def trial_resources() -> tuple[str, int]:
    """Return the device ("cpu" or "cuda") and the number of threads that Tune assigned to this trial.

    A GPU that Tune did not assign is never used.
    """
    resources = tune.get_context().get_trial_resources().required_resources
    return ("cuda" if resources.get("GPU", 0) > 0 else "cpu"), max(1, int(resources.get("CPU", 1)))


class TrialWriter:
    """Write each epoch of one trial to its directory and report it to Tune."""

    def __init__(
        self, files: TrialFiles, about: dict[str, Any], goal: Goal, own_metrics: Mapping[str, MetricFacts]
    ) -> None:
        self.files, self.about, self.goal, self.own_metrics = files, about, goal, own_metrics
        self.best: Values | None = None
        self.best_epoch = 0
        self.reported_s = self.saved_s = time.monotonic()

    def write(self, epoch: Epoch) -> None:
        """Write the samples, checkpoint, best weights and row of an epoch.

        The row gains ``host``, ``best``, ``best_epoch`` and the other keys of `Goal.mark`.
        """
        row, now = epoch.row, time.monotonic()
        evaluated = row["eval_epoch"] == row["epoch"]
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
        is_last = row["epoch"] == row["epochs"]
        late = {key for key, about in self.own_metrics.items() if about.when == "last" and not is_last}
        if lacking := [key for key in self.goal.keys if key not in row and key not in keys() and key not in late]:
            reasons = [f"{key}: {why}" for key in lacking if (why := reason(row, key, self.own_metrics))]
            raise UserError(
                "; ".join(reasons)
                or f"{' and '.join(lacking)}: in no row of the trial; rows have {', '.join(map(str, row))}"
            )
        for metric in METRICS.values():
            missing = metric.keys.keys() & set(self.goal.keys) - row.keys() if metric.when == "each" else ()
            if missing:  # an error at the first evaluation, since no later one would have it either
                raise UserError(f"trials of {self.about['model']!r} on this data have no {' and no '.join(missing)}")
        values = self.goal.values(row)
        if not is_valid_evaluation(row, self.goal.primary.metric) or not self.goal.counts(values):
            return
        if self.best is None or self.goal.order(values) < self.goal.order(self.best):
            self.best, self.best_epoch = values, row["epoch"]
            self.files.save_best(epoch.weights(), {**self.about, "row": row, "kept": epoch.values()})

    def replay(self, row: dict[str, Any]) -> None:
        """Continue from a row that an earlier attempt left in its checkpoint."""
        self.best, self.best_epoch = self.goal.marked(row), row["best_epoch"]
        self.files.append_row(row)

    def report(self, row: dict[str, Any], number: int) -> None:
        """Report a row to Tune if it is an evaluation or the last one; report the others about once a second."""
        now, is_last = time.monotonic(), row["status"] != "ok" or row["epoch"] == row["epochs"]
        if is_last or row["eval_epoch"] == row["epoch"] or now - self.reported_s > REPORT_EVERY_S:
            self.reported_s = now
            failed = row["status"] != "ok"  # the scheduler must not use the score of an earlier epoch
            unknown = {self.goal.primary.metric: float("nan")}
            tune.report({**unknown, **row, "number": number, **(unknown if failed else {})})


def _trim_memory() -> None:
    """Return freed memory to the system: glibc would keep it, and workers share one machine."""
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
    """Run one trial for Ray Tune, from the start or from its newest checkpoint.

    ``config`` holds the model's keys and the trial's ``number``; ``directory`` is the sweep's ``trials/`` folder, a
    path or a URL. Raise UserError if the configuration cannot run on this data, or if the goal needs a metric that
    trials of this model do not have.
    """
    number = int(config["number"])
    config = {key: value for key, value in config.items() if key != "number"}
    device, threads = trial_resources()
    torch.set_num_threads(threads)
    seed = derive_seed(sweep_seed, "trial", number)
    files = TrialFiles(directory, number)
    about = {"number": number, "seed": seed, "model": model, "config": config}
    files.write_params(about)
    trainable = find_model(model)
    extractor = load_extractor(evaluator, device) if trainable.samples(config) else None
    state = files.newest_checkpoint()
    files.cut_rows(before=state["epoch"] if state else 0)
    registered = USER_MODELS.get(model)
    writer = TrialWriter(files, about, goal, {} if registered is None else registered.facts.metrics)

    def emit(epoch: Epoch) -> None:
        if state is not None and epoch.row["epoch"] == state["epoch"]:
            writer.replay(epoch.row)
        else:
            writer.write(epoch)
        writer.report(epoch.row, number)

    inputs = Data(data.to(device), evaluator, extractor, device)
    if isinstance(trainable, UserModel):
        with files.folder_for_user() as folder:
            train_user(trainable, config, inputs, seed, TrialInfo(number, folder), state, emit)
        return
    with closing(train_model(trainable, config, inputs, seed, state)) as epochs:
        for epoch in epochs:
            emit(epoch)

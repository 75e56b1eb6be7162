"""Measure what a trial of a user's model takes on this machine: its batches are timed for some seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from trainables.engine.estimate import WARM, Seconds
from trainables.engine.state import Data
from trainables.user_model import evaluate
from trainables.user_model.model import UserModel
from trainables.user_model.model_file import execute
from trainables.user_model.train import call_train
from trainables.user_model.trial import Trial, TrialInfo
from trainables.user_model.user_config import UserConfig


class Enough(BaseException):
    """Leaves a user's `train` when its batches have been timed for long enough."""


class TimedTrial(Trial):
    """A trial that notes when each batch begins, and ends after `limit_s`."""

    limit_s = 0.0
    n_expected = 0
    times: list[float]

    def count_batch(self, n: int, n_batches: int) -> None:
        self.n_expected = n_batches
        self.times.append(time.perf_counter())
        if len(self.times) > WARM + 1 and self.times[-1] - self.times[WARM] > self.limit_s:
            raise Enough


def measure_seconds(model: UserModel, config: Mapping[str, Any], data: Data, seed: int, limit_s: float) -> Seconds:
    """Return the seconds that a configuration takes; time its batches for an epoch, or for about `limit_s` if less.

    If `train` does not take its batches from `data.train.batches`, the whole first epoch is timed.
    """
    trial = TimedTrial({**config, "epochs": 1}, data._replace(evaluator=None), seed, TrialInfo(), None, lambda _: None)
    trial.limit_s, trial.times = limit_s, []
    began = time.perf_counter()
    with suppress(Enough):
        call_train(execute(model.code), UserConfig({**config, "epochs": 1}), data, trial)
    epoch_s = time.perf_counter() - began
    if len(trial.times) > WARM + 1:
        epoch_s = trial.n_expected * (trial.times[-1] - trial.times[WARM]) / (len(trial.times) - WARM - 1)
    seconds = []
    for last in (True, False):  # the last one first: it warms up for the other
        began = time.perf_counter()
        if data.evaluator is not None:
            evaluate.evaluate(trial.generator(), data, data.evaluator, last)
        seconds.append(time.perf_counter() - began)
    return Seconds(epoch_s, seconds[1], seconds[0])

"""Estimate the cost of a trial of a configuration on this machine.

Seconds are measured by running some of its steps and two of its evaluations, bytes on the disk by building its nets and
optimisers.
"""

import io
import time
from typing import NamedTuple

import torch

from trainables.config_schema import Config
from trainables.engine.evaluate import evaluate
from trainables.engine.interface import Model
from trainables.engine.loop import train_epoch
from trainables.engine.state import Data, TrainingState, sampling_nets, snapshot, start, steps_per_epoch

WARM = 3  # steps that are not timed: the first ones allocate memory


class Seconds(NamedTuple):
    """Seconds of one configuration, each for one epoch or one evaluation."""

    epoch_s: float  # training only
    evaluation_s: float
    last_s: float  # of a trial's last evaluation, which measures more


def measure_seconds(model: Model, config: Config, data: Data, seed: int, limit_s: float) -> Seconds:
    """Return the seconds that a configuration takes; time its steps for an epoch, or for about ``limit_s`` if less.

    Raise UserError if the configuration cannot run on these images.
    """
    training = start(model, config, data, seed)
    steps = steps_per_epoch(config, data)
    warm_s = _timed(training, min(WARM, steps))
    n = min(steps, max(WARM, int(limit_s / warm_s)))
    epoch_s = steps * _timed(training, n)
    seconds = []
    for epoch in (config["epochs"], config["epochs"] - 1):  # the last one first: it warms up for the other
        training.epoch, began = epoch, time.perf_counter()
        evaluate(training)
        seconds.append(time.perf_counter() - began)
    return Seconds(epoch_s, seconds[1], seconds[0])


def _timed(training: TrainingState, n: int) -> float:
    """Return the seconds of a step, the mean over n steps."""
    training.config = {**training.config, "steps_per_epoch": n}
    began = time.perf_counter()
    train_epoch(training)  # reads its sums at the end, so the device has finished
    return (time.perf_counter() - began) / n


class Bytes(NamedTuple):
    """Bytes of one checkpoint, and of the best weights."""

    checkpoint: int
    best: int


def measure_bytes(model: Model, config: Config, data: Data) -> Bytes:
    """Return the size of the files that a trial of this configuration writes; train nothing.

    Raise UserError if the configuration cannot run on these images.
    """
    training = start(model, config, data, 0)
    for turn_state in training.turn_states:
        for parameter in turn_state.parameters:
            parameter.grad = torch.zeros_like(parameter)
        turn_state.optimiser.step()  # the moments are made at the first step
    buffer = io.BytesIO()
    torch.save(snapshot(training, {}), buffer)
    states = (net.state_dict() for net in sampling_nets(training).values())
    return Bytes(buffer.tell(), sum(value.nbytes for state in states for value in state.values()))

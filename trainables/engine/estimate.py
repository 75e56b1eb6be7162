"""Estimate what a trial of a configuration takes on this machine: seconds, by running some of its steps and two of its
evaluations; bytes on the disk, by building its nets and optimisers."""

import io
import time
from dataclasses import replace
from typing import NamedTuple

import torch

from trainables.config_schema import Config
from trainables.engine.evaluate import evaluate
from trainables.engine.interface import Model
from trainables.engine.loop import train_epoch
from trainables.engine.state import Data, TrainingState, sampling_nets, snapshot, start

WARM = 3  # steps that are not timed: the first ones allocate


class Seconds(NamedTuple):
    """Seconds of one configuration."""

    epoch_s: float  # of training
    evaluation_s: float
    last_s: float  # of a trial's last evaluation, which measures more


def measure_seconds(model: Model, config: Config, data: Data, seed: int, limit_s: float) -> Seconds:
    """What a configuration takes; the timed steps stop at an epoch or after about ``limit_s``.

    Raises:
        UserError: a configuration that cannot run on these images.
    """
    run = start(model, config, data, seed)
    steps = max(1, len(data.images.train) // config["batch_size"])
    warm_s = _timed(run, data, min(WARM, steps))
    n = min(steps, max(WARM, int(limit_s / warm_s)))
    epoch_s = steps * _timed(run, data, n)
    run.data = data
    seconds = []
    for epoch in (config["epochs"], config["epochs"] - 1):  # the last one first: it warms up for the other
        run.epoch, began = epoch, time.perf_counter()
        evaluate(run)
        seconds.append(time.perf_counter() - began)
    return Seconds(epoch_s, seconds[1], seconds[0])


def _timed(run: TrainingState, data: Data, n: int) -> float:
    """Seconds a step, over n steps."""
    train, images = data.images.train, n * run.config["batch_size"]
    if train.planes is None:
        short = replace(train, pixels=train.pixels[:images], labels=train.labels[:images])
    else:
        short = replace(train, planes=train.planes[:images], labels=train.labels[:images])
    run.data, began = data._replace(images=data.images._replace(train=short)), time.perf_counter()
    train_epoch(run)  # reads its sums in the end, so the device is done
    return (time.perf_counter() - began) / n


class Bytes(NamedTuple):
    """Bytes of one checkpoint, and of the best weights."""

    checkpoint: int
    best: int


def measure_bytes(model: Model, config: Config, data: Data) -> Bytes:
    """What a trial of this configuration writes each time; trains nothing.

    Raises:
        UserError: a configuration that cannot run on these images.
    """
    run = start(model, config, data, 0)
    for turn_state in run.turn_states:
        for parameter in turn_state.parameters:
            parameter.grad = torch.zeros_like(parameter)
        turn_state.optimiser.step()  # the moments are made at the first step
    buffer = io.BytesIO()
    torch.save(snapshot(run, {}), buffer)
    states = (net.state_dict() for net in sampling_nets(run).values())
    return Bytes(buffer.tell(), sum(value.nbytes for state in states for value in state.values()))

"""How long a configuration takes here: some real steps and two real evaluations, on the real data."""

import time
from dataclasses import replace
from typing import NamedTuple

from trainables.config_schema import Config
from trainables.engine.evaluate import evaluate
from trainables.engine.interface import Model
from trainables.engine.loop import train_epoch
from trainables.engine.state import Data, Run, start

WARM = 3  # steps that are not timed: the first ones allocate


class Cost(NamedTuple):
    """Seconds of one configuration."""

    epoch_s: float  # of training
    evaluation_s: float
    last_s: float  # of a trial's last evaluation, which measures more


def cost(model: Model, config: Config, data: Data, seed: int, limit_s: float) -> Cost:
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
    return Cost(epoch_s, seconds[1], seconds[0])


def _timed(run: Run, data: Data, n: int) -> float:
    """Seconds a step, over n steps."""
    train, images = data.images.train, n * run.config["batch_size"]
    if train.planes is None:
        short = replace(train, pixels=train.pixels[:images], labels=train.labels[:images])
    else:
        short = replace(train, planes=train.planes[:images], labels=train.labels[:images])
    run.data, began = data._replace(images=data.images._replace(train=short)), time.perf_counter()
    train_epoch(run)  # reads its sums in the end, so the device is done
    return (time.perf_counter() - began) / n

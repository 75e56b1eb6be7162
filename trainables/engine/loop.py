"""The training loop of every model: it takes a configuration and yields epochs.

One step takes one batch through every turn of the model, and repeats each turn ``times`` times with fresh noise.
Nothing in a step waits for the device: losses are summed as tensors and read once an epoch. Each pass over the training
images has a new order. An incomplete last batch is skipped; its images are used in other passes. An epoch is one pass,
or ``steps_per_epoch`` steps, so that trials with other batch sizes can be compared at equal numbers of updates.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trainables import random_streams
from trainables.config_schema import Config
from trainables.engine.collapse import is_hopeless, next_count
from trainables.engine.evaluate import evaluate, is_eval_epoch
from trainables.engine.interface import Batch, Model, Noise, Turn, suffix
from trainables.engine.state import (
    Data,
    Snapshot,
    TrainingState,
    TurnState,
    rate_factor,
    restore,
    sampling_nets,
    snapshot,
    start,
    steps_per_epoch,
    update_average,
)
from trainables.errors import UserError
from trainables.metrics import Evaluator

NORM_EVERY = 8  # gradient norms are the mean over every 8th update: cheap, and enough to see a blow-up


class Epoch(NamedTuple):
    """What `train` yields after an epoch. ``snapshot`` and ``weights`` copy the state at the time they are called."""

    row: dict[str, Any]
    samples: Tensor | None  # uint8 [n, C, H, W] at evaluated epochs
    snapshot: Callable[[], Snapshot]
    weights: Callable[[], dict[str, Tensor]]  # the sampling nets, "net.parameter" -> tensor
    values: Callable[[], dict[str, Any]] = dict  # what else sampling needs: plain values by name


class Sums:
    """Running sums of 0-d tensors, read once an epoch."""

    def __init__(self) -> None:
        self.total: dict[str, Tensor] = {}
        self.count: dict[str, int] = {}

    def add(self, key: str, value: Tensor) -> None:
        """Add a value to the sum of its key."""
        total = self.total.get(key)
        self.total[key] = value.detach().clone() if total is None else total.add_(value.detach())
        self.count[key] = self.count.get(key, 0) + 1

    def means(self) -> dict[str, float]:
        """Return the mean of the values of each key; this waits for the device."""
        return {key: float(total) / self.count[key] for key, total in self.total.items()}


@torch.no_grad()
def apply_after_update(training: TrainingState, turn: Turn, batch: Batch, noise: Noise) -> None:
    """Change the nets of a turn after an update: bound weights, and update state that follows weights or batches.

    The averaged net gets the new buffers too, since an average of them would have no meaning.
    """
    assert turn.after is not None
    for net in turn.nets:
        weights, buffers = dict(training.nets[net].named_parameters()), dict(training.nets[net].named_buffers())
        state = {**weights, **buffers}
        is_averaged = training.average is not None and net == training.model.averaged
        averaged = dict(training.average.named_buffers()) if training.average is not None and is_averaged else {}
        for name, value in turn.after(weights, buffers, training.hp, batch, noise, training.called).items():
            if name not in state:
                raise UserError(
                    f"after() of turn {turn.name!r} changes {name!r}, which net {net!r} does not have (it has: "
                    f"{', '.join(state)})"
                )
            state[name].copy_(value)
            if name in averaged:
                averaged[name].copy_(value)


def take_turn(training: TrainingState, turn_state: TurnState, batch: Batch, sums: Sums) -> None:
    """Make all updates of one turn on one batch."""
    turn, tail, device = turn_state.turn, suffix(turn_state.turn), training.data.device
    per_epoch = steps_per_epoch(training.config, training.data)
    factor = rate_factor(turn, training.step, training.config["epochs"] * per_epoch, training.config["lr_decay"])
    turn_state.optimiser.lr = training.config[turn.lr] * factor
    if len(training.turn_states) > 1:  # no gradients for the nets of other turns
        for other in training.turn_states:
            for parameter in other.parameters:
                parameter.requires_grad_(other.optimiser is turn_state.optimiser)
    if turn.clock:
        training.hp["epoch"].fill_((training.step + 1) / per_epoch)
    for i in range(turn.times):
        noise = {
            key: random_streams.draw(spec, len(batch.y), device, training.seed, turn.name, key, training.step, i)
            for key, spec in turn.noise.items()
        }
        turn_state.optimiser.zero_grad()
        loss, logs = turn.loss(training.called, batch, noise, training.hp)
        loss.backward()  # type: ignore[no-untyped-call]
        if training.step % NORM_EVERY == 0:
            grads = [p.grad for p in turn_state.parameters if p.grad is not None]
            sums.add(f"grad_norm{tail}", torch.nn.utils.get_total_norm(grads))
        turn_state.optimiser.step()
        if turn.after is not None:
            apply_after_update(training, turn, batch, noise)
        sums.add(f"loss{tail}", loss)
        for key, value in logs.items():
            sums.add(key, value)
        if training.model.averaged in turn.nets:
            update_average(training, training.step * turn.times + i)


def train_epoch(training: TrainingState) -> dict[str, float]:
    """Train for one epoch; return the means of all losses and logs."""
    sums = Sums()
    n_steps = steps_per_epoch(training.config, training.data)
    for batch in _batches(training, n_steps):
        for turn_state in training.turn_states:
            take_turn(training, turn_state, batch, sums)
        training.step += 1
        training.n_images += training.config["batch_size"]
    training.epoch += 1
    return sums.means()


def _batches(training: TrainingState, n_steps: int) -> Iterator[Batch]:
    """Yield the next ``n_steps`` batches; the order of each pass over the images is a function of its number."""
    data, size = training.data, training.config["batch_size"]
    n = len(data.images.train)
    per_pass, order = n // size, None
    for step in range(training.step, training.step + n_steps):
        number, i = divmod(step, per_pass)
        if order is None or i == 0:
            order = random_streams.permutation(n, data.device, training.seed, "order", number)
        yield Batch(*data.images.train.gather(order[i * size : (i + 1) * size], data.device))


def _row(training: TrainingState, means: dict[str, float]) -> dict[str, Any]:
    cost: dict[str, int] = {}
    for turn in (turn_state.turn for turn_state in training.turn_states):  # for comparisons at equal cost
        cost[f"updates{suffix(turn)}"] = training.step * turn.times
        cost[f"n_images{suffix(turn)}"] = training.n_images * turn.times
    head = {"epoch": training.epoch, "epochs": training.config["epochs"], "status": "ok"}
    row = {**head, **means, **training.quality, **cost, "n_images": training.n_images, "wall_s": training.wall_s}
    row["status"] = epoch_status(means, training.quality, training.data.evaluator)
    return row


def epoch_status(means: Mapping[str, float], quality: Mapping[str, Any], evaluator: Evaluator | None) -> str:
    """Return the status of an epoch with these losses and metrics: ok, nan or collapsed."""
    numbers = [value for value in (*means.values(), *quality.values()) if isinstance(value, float)]
    if not all(abs(value) < float("inf") for value in numbers):  # false for nan as well
        return "nan"
    is_stopped = evaluator is not None and evaluator.alarm and is_hopeless(quality, evaluator.class_prior)
    return "collapsed" if is_stopped else "ok"


def _narrow(training: TrainingState, quality: dict[str, Any]) -> dict[str, int]:
    """Return ``narrow``, for how many evaluations in a row the samples have been collapsed.

    Return nothing if training does not teach the model to sample.
    """
    if training.model.sample is None or training.model.fit is not None or training.data.evaluator is None:
        return {}
    turn = training.turn_states[-1].turn  # the generator's: the only one, or the last
    steps, rate, prior = training.step * turn.times, training.config[turn.lr], training.data.evaluator.class_prior
    count = next_count(training.quality, quality, training.lowest_fid, prior, steps, rate)
    training.lowest_fid = min(training.lowest_fid, quality.get("fid", training.lowest_fid))
    return {"narrow": count}


def _epoch(training: TrainingState, row: dict[str, Any], samples: Tensor | None) -> Epoch:
    def weights() -> dict[str, Tensor]:
        states = ((name, net.state_dict()) for name, net in sampling_nets(training).items())
        return {f"{name}.{k}": v.detach().to("cpu", copy=True) for name, state in states for k, v in state.items()}

    return Epoch(row, samples, lambda: snapshot(training, row), weights)


def train(model: Model, config: Config, data: Data, seed: int, state: Snapshot | None = None) -> Generator[Epoch]:
    """Train ``model``, from the start or from a snapshot, and yield an Epoch after each epoch.

    A restored trial first yields the row of its snapshot once more, since that row may never have arrived. If a loss or
    a metric is not finite, the last row has the status ``nan``. If the samples have collapsed, it has the status
    ``collapsed`` (see collapse.py). Raise UserError if the configuration cannot run on these images.
    """
    training = start(model, config, data, seed)
    if state is not None:
        restore(training, state)
        yield _epoch(training, state["row"], None)
        if state["row"]["status"] != "ok":
            return
    while training.epoch < config["epochs"]:
        began = time.perf_counter()
        means, samples = train_epoch(training), None
        finite = all(abs(value) < float("inf") for value in means.values())
        if data.evaluator is not None and finite and is_eval_epoch(data.evaluator, training.epoch, config["epochs"]):
            quality, samples = evaluate(training)
            training.quality = {**quality, **_narrow(training, quality), "eval_epoch": training.epoch}
        training.wall_s += time.perf_counter() - began
        row = _row(training, means)
        yield _epoch(training, row, samples)
        if row["status"] != "ok":
            return

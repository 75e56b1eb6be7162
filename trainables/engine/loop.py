"""The training loop, the only one: a configuration in, a stream of epochs out.

One step takes one batch through every turn of the model, each turn ``times`` over with fresh noise. Nothing in a step
waits for the device: losses are summed as tensors and read once an epoch. Each epoch is one pass over the training
images in a new order; an incomplete last batch is left out (its images come in another epoch).
"""

import time
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trainables import random_streams
from trainables.config_schema import Config
from trainables.engine.collapse import MATURE_PATH, collapse_kind, count_collapsed, is_hopeless, is_warmed_up
from trainables.engine.evaluate import evaluate, is_eval_epoch
from trainables.engine.interface import Batch, Model, Turn, suffix
from trainables.engine.state import (
    Data,
    Snapshot,
    TrainingState,
    TurnState,
    restore,
    sampling_nets,
    snapshot,
    start,
    update_average,
)

NORM_EVERY = 8  # gradient norms are the mean over every 8th update: cheap, and enough to see a blow-up


class Epoch(NamedTuple):
    """What an epoch yields. ``snapshot`` and ``weights`` copy the state at the time they are called."""

    row: dict[str, Any]
    samples: Tensor | None  # uint8 [n, C, H, W] at evaluated epochs
    snapshot: Callable[[], Snapshot]
    weights: Callable[[], dict[str, Tensor]]  # the sampling nets, "net.parameter" -> tensor


class Sums:
    """Running sums of 0-d tensors, read once an epoch."""

    def __init__(self) -> None:
        self.total: dict[str, Tensor] = {}
        self.count: dict[str, int] = {}

    def add(self, key: str, value: Tensor) -> None:
        seen = self.total.get(key)
        self.total[key] = value.detach().clone() if seen is None else seen.add_(value.detach())
        self.count[key] = self.count.get(key, 0) + 1

    def means(self) -> dict[str, float]:
        return {key: float(total) / self.count[key] for key, total in self.total.items()}


@torch.no_grad()
def apply_after_update(run: TrainingState, turn: Turn) -> None:
    """What a turn does to its nets after an update: bounds, and state that follows the weights."""
    assert turn.after is not None
    for net in (run.nets[name] for name in turn.nets):
        weights, buffers = dict(net.named_parameters()), dict(net.named_buffers())
        for name, value in turn.after(weights, buffers, run.hp).items():
            ({**weights, **buffers})[name].copy_(value)


def take_turn(run: TrainingState, turn_state: TurnState, batch: Batch, sums: Sums) -> None:
    """All updates of one turn on one batch."""
    turn, tail, device = turn_state.turn, suffix(turn_state.turn), run.data.device
    if len(run.turn_states) > 1:  # no gradients for nets that do not move now
        for other in run.turn_states:
            for parameter in other.parameters:
                parameter.requires_grad_(other.optimiser is turn_state.optimiser)
    if turn.clock:
        run.hp["epoch"].fill_((run.step + 1) / (len(run.data.images.train) // run.config["batch_size"]))
    for i in range(turn.times):
        noise = {
            key: random_streams.draw(spec, len(batch.y), device, run.seed, turn.name, key, run.step, i)
            for key, spec in turn.noise.items()
        }
        turn_state.optimiser.zero_grad()
        loss, logs = turn.loss(run.called, batch, noise, run.hp)
        loss.backward()  # type: ignore[no-untyped-call]
        if run.step % NORM_EVERY == 0:
            grads = [p.grad for p in turn_state.parameters if p.grad is not None]
            sums.add(f"grad_norm{tail}", torch.nn.utils.get_total_norm(grads))
        turn_state.optimiser.step()
        if turn.after is not None:
            apply_after_update(run, turn)
        sums.add(f"loss{tail}", loss)
        for key, value in logs.items():
            sums.add(key, value)
        if run.model.averaged in turn.nets:
            update_average(run, run.step * turn.times + i)


def train_epoch(run: TrainingState) -> dict[str, float]:
    """One pass over the training images; the means of all losses and logs."""
    data, size = run.data, run.config["batch_size"]
    n = len(data.images.train)
    order = random_streams.permutation(n, data.device, run.seed, "order", run.epoch)
    sums = Sums()
    for i in range(0, n - size + 1, size):
        batch = Batch(*data.images.train.gather(order[i : i + size], data.device))
        for turn_state in run.turn_states:
            take_turn(run, turn_state, batch, sums)
        run.step += 1
        run.n_images += size
    run.epoch += 1
    return sums.means()


def _row(run: TrainingState, means: dict[str, float]) -> dict[str, Any]:
    cost: dict[str, int] = {}
    for turn in (turn_state.turn for turn_state in run.turn_states):  # what a comparison at equal cost needs
        cost[f"updates{suffix(turn)}"] = run.step * turn.times
        cost[f"n_images{suffix(turn)}"] = run.n_images * turn.times
    head = {"epoch": run.epoch, "epochs": run.config["epochs"], "status": "ok"}
    row = {**head, **means, **run.quality, **cost, "n_images": run.n_images, "wall_s": run.wall_s}
    numbers = [value for value in (*means.values(), *run.quality.values()) if isinstance(value, float)]
    if not all(abs(value) < float("inf") for value in numbers):  # false for nan as well
        row["status"] = "nan"
    elif (
        run.data.evaluator is not None
        and run.data.evaluator.alarm
        and is_hopeless(run.quality, run.data.evaluator.class_prior)
    ):
        row["status"] = "collapsed"
    return row


def _narrow(run: TrainingState, quality: dict[str, Any]) -> dict[str, int]:
    """``narrow``, for how many evaluations the samples have been collapsed, where it is trained to sample."""
    if run.model.sample is None or run.model.fit is not None or run.data.evaluator is None:
        return {}
    turn = run.turn_states[-1].turn  # the generator's: the only one, or the last
    steps, rate, count = run.step * turn.times, run.config[turn.lr], 0
    if is_warmed_up(steps, rate) and collapse_kind(quality, run.data.evaluator.class_prior):
        count = count_collapsed(
            run.quality.get("narrow", 0), quality, run.lowest_fid, is_warmed_up(steps, rate, MATURE_PATH)
        )
    run.lowest_fid = min(run.lowest_fid, quality.get("fid", run.lowest_fid))
    return {"narrow": count}


def _epoch(run: TrainingState, row: dict[str, Any], samples: Tensor | None) -> Epoch:
    def weights() -> dict[str, Tensor]:
        states = ((name, net.state_dict()) for name, net in sampling_nets(run).items())
        return {f"{name}.{k}": v.detach().to("cpu", copy=True) for name, state in states for k, v in state.items()}

    return Epoch(row, samples, lambda: snapshot(run, row), weights)


def train(model: Model, config: Config, data: Data, seed: int, state: Snapshot | None = None) -> Generator[Epoch]:
    """Train ``model`` and yield one Epoch a pass, from the start or from a snapshot.

    A restored trial first yields the row that its snapshot holds once more, since that row may never have arrived.
    A trial whose numbers stop being finite yields a last row with status ``nan``, one whose samples have collapsed a
    last row with status ``collapsed`` (see collapse.py).

    Raises:
        UserError: a configuration that cannot run on these images.
    """
    run = start(model, config, data, seed)
    if state is not None:
        restore(run, state)
        yield _epoch(run, state["row"], None)
        if state["row"]["status"] != "ok":
            return
    while run.epoch < config["epochs"]:
        began = time.perf_counter()
        means, samples = train_epoch(run), None
        finite = all(abs(value) < float("inf") for value in means.values())
        if data.evaluator is not None and finite and is_eval_epoch(data.evaluator, run.epoch, config["epochs"]):
            quality, samples = evaluate(run)
            run.quality = {**quality, **_narrow(run, quality), "eval_epoch": run.epoch}
        run.wall_s += time.perf_counter() - began
        row = _row(run, means)
        yield _epoch(run, row, samples)
        if row["status"] != "ok":
            return

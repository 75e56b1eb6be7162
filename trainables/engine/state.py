"""The state of a trial in training: nets, optimisers, the averaged generator, counters; to a snapshot and back.

Nothing else carries over from one step to the next, because random draws are functions of the step (random_streams.py).
So a trial that continues from its snapshot computes the same numbers, bit for bit on the CPU, as one that never
stopped. The thread count is part of the snapshot, because sums that are split over threads are rounded differently.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from trainables import random_streams
from trainables.config_schema import Config, numeric
from trainables.data import Dataset
from trainables.engine.interface import Model, Turn
from trainables.engine.optimisers import Optimiser
from trainables.errors import UserError
from trainables.metrics.evaluator import Evaluator
from trainables.metrics.extractor import Extractor

Snapshot = dict[str, Any]


class Data(NamedTuple):
    """What a trainable needs besides a configuration: the images, and how to evaluate (None: no metrics or samples)."""

    images: Dataset
    evaluator: Evaluator | None = None
    extractor: Extractor | None = None
    device: str = "cpu"


class TurnState(NamedTuple):
    """A turn with its optimiser and the parameters that it updates."""

    turn: Turn
    optimiser: Optimiser
    parameters: list[nn.Parameter]


@dataclass
class TrainingState:
    """A trial in training. ``epoch``, ``step`` and ``n_images`` count what has been done."""

    model: Model
    config: Config
    data: Data
    seed: int
    nets: dict[str, nn.Module]
    called: dict[str, Callable[..., Any]]  # the nets as the losses call them: under autocast if precision is bf16
    turn_states: list[TurnState]
    hp: dict[str, Tensor]
    average: nn.Module | None
    epoch: int = 0
    step: int = 0
    n_images: int = 0
    wall_s: float = 0.0
    lowest_fid: float = float("inf")  # of all evaluations so far
    quality: dict[str, Any] = field(default_factory=lambda: {"eval_epoch": 0})


def _autocast(net: nn.Module, device: str) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            out = net(*args)
        return tuple(map(_as_float32, out)) if isinstance(out, tuple) else _as_float32(out)

    return call


def _as_float32(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value


def build_nets(model: Model, config: Config, data: Data, seed: int) -> dict[str, nn.Module]:
    """Return the nets with initial weights from the trial's ``init`` stream, whatever the global random state is.

    Raise UserError if the model refuses the configuration.
    """
    model.check(config)
    images = data.images
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_streams.derive_seed(seed, "init"))
        nets = model.nets(config, images.shape, len(images.classes))
    # oneDNN's convolutions on a CPU take a third less time in this layout, transposed ones above all.
    layout = torch.channels_last if data.device == "cpu" else torch.preserve_format
    return {name: net.to(data.device).to(memory_format=layout) for name, net in nets.items()}


def start(model: Model, config: Config, data: Data, seed: int) -> TrainingState:
    """Return a trial before its first step.

    Raise UserError if a batch is larger than the training split, or if the model refuses the configuration.
    """
    if config["batch_size"] > len(data.images.train):
        n_train = len(data.images.train)
        raise UserError(
            f"batch_size={config['batch_size']} is more than the {n_train} training images: use --set batch_size"
        )
    nets = build_nets(model, config, data, seed)
    turn_states = []
    for turn in model.turns(config, data.images.shape):
        parameters = [p for name in turn.nets for p in nets[name].parameters()]
        turn_states.append(TurnState(turn, Optimiser(turn.optimiser, parameters, config[turn.lr], config), parameters))
    half = config["precision"] == "bf16"
    called = {name: _autocast(net, data.device) if half else net for name, net in nets.items()}
    hp = {key: torch.tensor(config[key], dtype=torch.float32, device=data.device) for key in numeric(config)}
    averages = model.averaged is not None and config["ema"] > 0
    if any(turn_state.turn.clock for turn_state in turn_states):
        hp["epoch"] = torch.zeros((), device=data.device)
    average = copy.deepcopy(nets[model.averaged]).requires_grad_(False) if averages and model.averaged else None
    return TrainingState(model, config, data, seed, nets, called, turn_states, hp, average)


def sampling_nets(training: TrainingState) -> dict[str, nn.Module]:
    """Return the nets to evaluate: with the averaged net in place of the trained one, if there is an average."""
    if training.average is None or training.model.averaged is None:
        return training.nets
    return {**training.nets, training.model.averaged: training.average}


def steps_per_epoch(config: Config, data: Data) -> int:
    """Return the steps of an epoch: what the configuration says, or those of one pass over the training images."""
    return int(config["steps_per_epoch"]) or len(data.images.train) // int(config["batch_size"])


def rate_factor(turn: Turn, step: int, n_steps: int, share: float) -> float:
    """Return what the learning rate of a turn is multiplied by at a step of ``n_steps``.

    That is its schedule, if it has one. Besides, it falls linearly to 0 in the last ``share`` of the steps (Radford et
    al.'s MNIST code: the last half).
    """
    falling = min(1.0, max(0.0, 1 - step / n_steps) / share) if share else 1.0
    return falling if turn.schedule is None else falling * turn.schedule(step / n_steps)


def decay(ema: float, updates: int) -> float:
    """Return the decay of the average after ``updates`` earlier ones: it starts at 1/10 and rises to ``ema``.

    Without this ramp the average would be mostly initial weights at first, and a scheduler that compares trials after
    one epoch would stop every trial with a slow average. The ramp is that of TensorFlow's moving averages.
    """
    return min(ema, (1 + updates) / (10 + updates))


@torch.no_grad()
def update_average(training: TrainingState, updates: int) -> None:
    """Update the average: avg <- decay avg + (1 - decay) weights; an evaluation measures its batch-norm statistics."""
    if training.average is None or training.model.averaged is None:
        return
    net, rate = training.nets[training.model.averaged], decay(training.config["ema"], updates)
    for average, weight in zip(training.average.parameters(), net.parameters(), strict=True):
        average.lerp_(weight, 1 - rate)


def snapshot(training: TrainingState, row: dict[str, Any]) -> Snapshot:
    """Return the whole state as plain dicts of copied CPU tensors, which torch.load(weights_only=True) reads."""
    state = {
        "nets": {name: net.state_dict() for name, net in training.nets.items()},
        "optimisers": [turn_state.optimiser.state_dict() for turn_state in training.turn_states],
        "average": None if training.average is None else training.average.state_dict(),
        "epoch": training.epoch,
        "step": training.step,
        "n_images": training.n_images,
        "wall_s": training.wall_s,
        "lowest_fid": training.lowest_fid,
        "quality": training.quality,
        "threads": torch.get_num_threads(),
        "row": row,
    }
    return cpu_copy(state)  # type: ignore[no-any-return]


def cpu_copy(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: cpu_copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(cpu_copy(item) for item in value)
    return value


def restore(training: TrainingState, state: Snapshot) -> None:
    """Put ``training`` into the state of a snapshot."""
    torch.set_num_threads(state["threads"])
    for name, net in training.nets.items():
        net.load_state_dict(state["nets"][name])
    for turn_state, stored in zip(training.turn_states, state["optimisers"], strict=True):
        turn_state.optimiser.load_state_dict(stored)
    if training.average is not None:
        training.average.load_state_dict(state["average"])
    training.epoch, training.step, training.n_images = state["epoch"], state["step"], state["n_images"]
    training.wall_s, training.lowest_fid, training.quality = (
        state["wall_s"],
        state["lowest_fid"],
        dict(state["quality"]),
    )

"""All state of one trial in training: nets, optimisers, the averaged generator, counters. In and out of a snapshot.

Nothing else carries over from one step to the next: random draws are functions of the step (streams.py). So a trial
that goes on from its snapshot computes the same numbers, bit for bit on the CPU, as one that never stopped; the
thread count is part of it, because a sum split over threads is rounded differently.
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
from trainables.engine.adam import Adam
from trainables.engine.interface import Model, Turn
from trainables.errors import UserError
from trainables.metrics.evaluator import Evaluator
from trainables.metrics.extractor import Extractor

Snapshot = dict[str, Any]


class Data(NamedTuple):
    """What a trainable is given: the images, and who judges (None: no quality metric, no samples)."""

    images: Dataset
    evaluator: Evaluator | None = None
    extractor: Extractor | None = None
    device: str = "cpu"


class TurnState(NamedTuple):
    """A turn with its optimiser and the parameters that it moves."""

    turn: Turn
    optimiser: Adam
    parameters: list[nn.Parameter]


@dataclass
class TrainingState:
    """A trial in training. ``epoch``, ``step`` and ``n_images`` count what is done."""

    model: Model
    config: Config
    data: Data
    seed: int
    nets: dict[str, nn.Module]
    called: dict[str, Callable[..., Any]]  # the nets as the losses call them: under autocast where asked
    turn_states: list[TurnState]
    hp: dict[str, Tensor]
    average: nn.Module | None
    epoch: int = 0
    step: int = 0
    n_images: int = 0
    wall_s: float = 0.0
    lowest_fid: float = float("inf")  # of all evaluations so far
    quality: dict[str, Any] = field(default_factory=lambda: {"eval_epoch": 0})


def _autocast(net: nn.Module, device: str) -> Callable[..., Tensor]:
    def call(*args: Tensor) -> Tensor:
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            out: Tensor = net(*args)
        return out.float()

    return call


def build_nets(model: Model, config: Config, data: Data, seed: int) -> dict[str, nn.Module]:
    """Modules with initial weights from the trial's ``init`` stream, whatever the global random state is.

    Raises:
        UserError: a configuration that the model refuses.
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
    """A trial before its first step.

    Raises:
        UserError: the batch is larger than the training split, or the model refuses the configuration.
    """
    if config["batch_size"] > len(data.images.train):
        have = len(data.images.train)
        raise UserError(
            f"batch_size={config['batch_size']} is more than the {have} training images: use --set batch_size"
        )
    nets = build_nets(model, config, data, seed)
    turn_states = []
    for turn in model.turns(config, data.images.shape):
        parameters = [p for name in turn.nets for p in nets[name].parameters()]
        turn_states.append(
            TurnState(turn, Adam(parameters, config[turn.lr], (config["beta1"], config["beta2"])), parameters)
        )
    half = config["precision"] == "bf16"
    called = {name: _autocast(net, data.device) if half else net for name, net in nets.items()}
    hp = {key: torch.tensor(config[key], dtype=torch.float32, device=data.device) for key in numeric(config)}
    averages = model.averaged is not None and config["ema"] > 0
    if any(turn_state.turn.clock for turn_state in turn_states):
        hp["epoch"] = torch.zeros((), device=data.device)
    average = copy.deepcopy(nets[model.averaged]).requires_grad_(False) if averages and model.averaged else None
    return TrainingState(model, config, data, seed, nets, called, turn_states, hp, average)


def sampling_nets(run: TrainingState) -> dict[str, nn.Module]:
    """The nets to evaluate: the averaged one in its place."""
    if run.average is None or run.model.averaged is None:
        return run.nets
    return {**run.nets, run.model.averaged: run.average}


def decay(ema: float, updates: int) -> float:
    """The decay of the average after ``updates`` earlier ones: it starts at 1/10 and rises to ``ema``.

    Without the warm-up the average of a young generator is mostly its initial weights, and a scheduler that looks
    after one epoch would stop every trial with a slow average (the ramp is that of TensorFlow's moving averages).
    """
    return min(ema, (1 + updates) / (10 + updates))


@torch.no_grad()
def update_average(run: TrainingState, updates: int) -> None:
    """avg <- decay avg + (1 - decay) weights; batch-norm statistics are taken over as they are."""
    if run.average is None or run.model.averaged is None:
        return
    net, kept = run.nets[run.model.averaged], decay(run.config["ema"], updates)
    for average, weight in zip(run.average.parameters(), net.parameters(), strict=True):
        average.lerp_(weight, 1 - kept)
    for old, buffer in zip(run.average.buffers(), net.buffers(), strict=True):
        old.copy_(buffer)


def snapshot(run: TrainingState, row: dict[str, Any]) -> Snapshot:
    """Everything, as plain dicts of copied CPU tensors: torch.load(weights_only=True) reads it back."""
    state = {
        "nets": {name: net.state_dict() for name, net in run.nets.items()},
        "optimisers": [turn_state.optimiser.state_dict() for turn_state in run.turn_states],
        "average": None if run.average is None else run.average.state_dict(),
        "epoch": run.epoch,
        "step": run.step,
        "n_images": run.n_images,
        "wall_s": run.wall_s,
        "lowest_fid": run.lowest_fid,
        "quality": run.quality,
        "threads": torch.get_num_threads(),
        "row": row,
    }
    return _cpu_copy(state)  # type: ignore[no-any-return]


def _cpu_copy(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: _cpu_copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_cpu_copy(item) for item in value)
    return value


def restore(run: TrainingState, state: Snapshot) -> None:
    """Put ``run`` where ``state`` was taken."""
    torch.set_num_threads(state["threads"])
    for name, net in run.nets.items():
        net.load_state_dict(state["nets"][name])
    for turn_state, stored in zip(run.turn_states, state["optimisers"], strict=True):
        turn_state.optimiser.load_state_dict(stored)
    if run.average is not None:
        run.average.load_state_dict(state["average"])
    run.epoch, run.step, run.n_images = state["epoch"], state["step"], state["n_images"]
    run.wall_s, run.lowest_fid, run.quality = state["wall_s"], state["lowest_fid"], dict(state["quality"])

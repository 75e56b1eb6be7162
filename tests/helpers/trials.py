"""What the contract tests train: a configuration made small, on a few real digits, alone and stacked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch

from search_spaces import SPACES
from search_spaces.override import apply, default
from trainables import MODELS, Data, random_streams
from trainables.config_schema import Config
from trainables.data import Split, load
from trainables.engine.interface import Batch, Model
from trainables.engine.loop import Sums, take_turn
from trainables.engine.stack import Stack
from trainables.engine.state import TrainingState, start
from trainables.metrics import build_evaluator, load_extractor

SEEDS = (11, 12, 13)


def small(name: str, sets: dict[str, str] | None = None, **changes: Any) -> Config:
    """The default configuration under some `--set`, made small."""
    config = default(apply(SPACES[name], sets or {}, 3))[0]
    return {**config, "width": 8, "latent_dim": 4, "batch_size": 32, "epochs": 3, **changes}


@cache
def digits() -> Data:
    """The embedded digits with their judge; 320 of them to train on, which is ten steps of `small`."""
    images = load("digits")
    evaluator = build_evaluator(images, seed=5, every=2, rungs=())._replace(n_samples=600)
    train = Split(images.train.pixels[:320], images.train.labels[:320])
    return Data(images._replace(train=train).to("cpu"), evaluator, load_extractor(evaluator, "cpu"))


def steps(
    model: Model, config: Config, data: Data, n: int, dtype: torch.dtype = torch.float32, seed: int = 3
) -> TrainingState:
    """A trial after ``n`` steps, in ``dtype``."""
    run = start(model, config, data, seed)
    for net in [*run.nets.values(), *([run.average] if run.average is not None else [])]:
        net.to(dtype)
    run.hp = {key: torch.tensor(config.get(key, 0.0), dtype=dtype) for key in run.hp}
    order = random_streams.permutation(len(data.images.train), "cpu", seed, "order", 0)
    size = config["batch_size"]
    for i in range(n):
        x, y = data.images.train.gather(order[i * size : (i + 1) * size], "cpu")
        for turn_state in run.turn_states:
            _turn(run, turn_state, Batch(x.to(dtype), y), dtype)
        run.step += 1
    return run


def _turn(run: TrainingState, turn_state: Any, batch: Batch, dtype: torch.dtype) -> None:
    """take_turn with its noise in ``dtype``: the draws are the same numbers."""
    loss = turn_state.turn.loss

    def cast(nets: Any, batch: Batch, noise: Any, hp: Any) -> Any:
        return loss(nets, batch, {key: value.to(dtype) for key, value in noise.items()}, hp)

    take_turn(run, turn_state._replace(turn=turn_state.turn._replace(loss=cast)), batch, Sums())


def tolerance(config: Config, dtype: torch.dtype) -> float:
    """How far a stacked weight may be from the solo one.

    Before a batch norm, a bias whose unit stays on one side of its kink for the whole batch has a gradient of zero, and
    Adam turns the rounding of float32 into a step of a fraction of the rate: so there the bound is that of a step.
    """
    batch = config.get("d_norm") == "batch"
    if dtype == torch.float64:
        return 1e-8 if batch else 1e-9
    if batch and config["net"] == "pyramid":
        return 6e-3  # three layers, three steps
    return 1e-3 if batch else 1e-5


def assert_stacked_equals_solo(name: str, configs: Sequence[Config], dtype: torch.dtype) -> None:
    """After three steps every trial of a stack has the state that it has when trained alone, to ``tolerance``."""
    model, data, bound = MODELS[name], digits(), tolerance(configs[0], dtype)
    stack = Stack(model, list(configs), data, list(SEEDS[: len(configs)]), dtype)
    for _ in range(3):
        stack.step()
    for k, config in enumerate(configs):
        run = steps(model, config, data, 3, dtype, SEEDS[k])
        for net, module in run.nets.items():
            state = {**stack.weights[net], **stack.buffers[net]}
            for key, value in module.state_dict().items():
                torch.testing.assert_close(state[key][k], value, rtol=bound, atol=bound)
        if run.average is not None and stack.average is not None:
            for key, value in run.average.named_parameters():
                torch.testing.assert_close(stack.average[key][k], value, rtol=bound, atol=bound)

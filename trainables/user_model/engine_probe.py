"""Train a model of interface B for a few batches, to see what its rows hold and which keys it reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from trainables.config_schema import RecordedConfig
from trainables.data import Dataset
from trainables.engine.estimate import measure_bytes
from trainables.engine.evaluate import generate, measure_held_out
from trainables.engine.interface import Model
from trainables.engine.loop import train_epoch
from trainables.engine.state import Data, TrainingState, start
from trainables.user_model.evaluate import check_range, check_samples
from trainables.user_model.model import Facts
from trainables.user_model.probe import N_BATCHES, N_SAMPLES, NOISE_SEED, cut


class EngineProbe(NamedTuple):
    """What a probe has measured."""

    facts: Facts
    row: dict[str, float]  # means of losses and logs
    read: frozenset[str]  # keys of the configuration, and of `hp`
    is_pure: bool  # whether the losses are the same whatever the global random state
    checkpoint_bytes: int
    best_bytes: int


class RecordedHp(dict[str, Any]):
    """The numeric keys as tensors; notes which are read."""

    def __init__(self, values: Mapping[str, Any], read: set[str]) -> None:
        super().__init__(values)
        self._read = read

    def __getitem__(self, key: str) -> Any:
        self._read.add(key)
        return super().__getitem__(key)


def probe_engine_model(model: Model, config: Mapping[str, Any], data: Dataset, seed: int = 0) -> EngineProbe:
    """Train for one epoch of a few batches, draw and measure once.

    Raise UserError if the model breaks the rules of its interface; an error of the user's own code goes through.
    """
    small = Data(cut(data, config).to("cpu"))
    first, read = _trained(model, config, small, seed, 1)
    row = first[1]
    again = _trained(model, config, small, seed, 2)[0][1]
    training = first[0]
    training.nets = {name: net.eval() for name, net in training.nets.items()}
    with torch.no_grad():
        measured = measure_held_out(model, config, small, training.nets, training.hp, "val", NOISE_SEED)
        if model.samples(config) and all(map(math.isfinite, row.values())):
            labels = torch.arange(N_SAMPLES) % max(1, len(data.classes))
            x, _ = next(generate(model, config, training.nets, labels, NOISE_SEED))
            check_samples(x, (N_SAMPLES, *data.shape))
            check_range(x)
    size = measure_bytes(model, config, small)
    own_keys = tuple(measured)
    facts = Facts(model.samples(config), model.conditional, tuple(row), own_keys, model.doc, "model", model.shows_pairs)
    return EngineProbe(facts, row, frozenset(read), row == again, size.checkpoint, size.best)


def _trained(
    model: Model, config: Mapping[str, Any], data: Data, seed: int, random_state: int
) -> tuple[tuple[TrainingState, dict[str, float]], set[str]]:
    recorded = RecordedConfig({**config, "epochs": 1, "steps_per_epoch": N_BATCHES})
    with torch.random.fork_rng(devices=[]):
        training = start(model, recorded, data, seed)
        recorded.read.clear()  # it has read the value of every key, to find the numeric ones
        model.nets(recorded, data.images.shape, len(data.images.classes))
        turns = model.turns(recorded, data.images.shape)
        _ = model.samples(recorded)
        read = {*recorded.read, *(turn.lr for turn in turns)}
        training.hp = RecordedHp(training.hp, read)
        torch.manual_seed(random_state)
        means = train_epoch(training)
    return (training, means), read

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
from trainables.engine.interface import Model, Turn
from trainables.engine.loop import train_epoch
from trainables.engine.optimisers import keys_read
from trainables.engine.own_metrics import pair_for
from trainables.engine.state import Data, TrainingState, start
from trainables.errors import UserError
from trainables.user_model.evaluate import check_range, check_samples
from trainables.user_model.metrics import try_metrics
from trainables.user_model.model import Facts
from trainables.user_model.probe import N_SAMPLES, NOISE_SEED, cut
from trainables.user_model.probed_trial import N_BATCHES

N_SHARES = 100  # at which a schedule is tried


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
    samples = torch.empty(0)
    with torch.no_grad():
        measured = measure_held_out(model, config, small, training.nets, training.hp, "val", NOISE_SEED)
        if model.samples(config) and all(map(math.isfinite, row.values())):
            labels = torch.arange(N_SAMPLES) % max(1, len(data.classes))
            samples, _ = next(generate(model, config, training.nets, data.shape, labels, NOISE_SEED))
            check_samples(samples, (N_SAMPLES, *data.shape))
            check_range(samples)
    numbers, metrics = try_metrics(model.metrics, lambda needs: pair_for(training, training.nets, samples, needs))
    size = measure_bytes(model, config, small)
    facts = Facts(
        model.samples(config),
        model.conditional,
        tuple(row),
        (*measured, *numbers),
        model.doc,
        "model",
        model.shows_pairs,
        metrics,
    )
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
        for turn in turns:
            check_schedule(turn)
            recorded.read.update(keys_read(turn.optimiser, recorded), (turn.lr, "precision"))
        if model.samples(recorded):
            model.z_shape(recorded, data.images.shape)
        training.hp = RecordedHp(training.hp, recorded.read)
        torch.manual_seed(random_state)
        means = train_epoch(training)
    return (training, means), recorded.read


def check_schedule(turn: Turn) -> None:
    """Raise UserError unless a turn's schedule returns the same finite number, of at least 0, for each share."""
    if turn.schedule is None:
        return
    shares = [i / N_SHARES for i in range(N_SHARES + 1)]
    first = {share: turn.schedule(share) for share in shares}
    says = f"the schedule of turn {turn.name!r} gives" if turn.name else "the schedule gives"
    for share, factor in first.items():
        place = f"at share {share:g} of the steps"
        if isinstance(factor, bool) or not isinstance(factor, int | float):
            raise UserError(f"{says} a {type(factor).__name__} {place}: a number such as 0.5 is needed")
        if not (math.isfinite(factor) and factor >= 0):
            raise UserError(f"{says} {factor:g} {place}: a finite number of at least 0 is needed")
    for share in reversed(shares):
        if (again := turn.schedule(share)) != first[share]:
            pair = f"{first[share]:.6g} and then {again:.6g} at share {share:g} of the steps"
            raise UserError(f"{says} {pair}: it must depend on the share alone")

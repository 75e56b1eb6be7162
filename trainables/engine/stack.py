"""Train many trials as one program: the same pure steps, stacked over K trials by `torch.func`.

Trials with equal structural keys share a signature. Their parameters, buffers, moments and numeric keys get a leading
axis K, and `vmap` around the gradient of a turn's loss updates all of them at once. Each trial keeps its own seed, data
order and noise, so that stacked[k] equals the trial trained alone (within 1e-9 in float64 and 1e-5 in float32, because
sums are split differently).
"""

import copy
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from trainables import random_streams
from trainables.config_schema import Config, is_structural, numeric
from trainables.engine.interface import Batch, Hp, Model, Noise, Turn
from trainables.engine.optimisers import OPTIMISERS, keys_read
from trainables.engine.state import Data, build_nets, decay, steps_per_epoch

Weights = dict[str, dict[str, Tensor]]  # net -> parameter -> [K, ...]


def signature(config: Config) -> tuple[tuple[str, Any], ...]:
    """Return the structural part of a configuration: trials can be stacked if it is equal."""
    return tuple(sorted((key, value) for key, value in config.items() if is_structural(key, value)))


class Moments(NamedTuple):
    """The state of one turn's optimiser: moments by name, in the shape of the weights, and the updates so far."""

    by_name: dict[str, Weights]
    updates: Tensor  # []


def _zeros(weights: Weights) -> Weights:
    return {net: {name: torch.zeros_like(p) for name, p in parameters.items()} for net, parameters in weights.items()}


class Stack:
    """K trials of one model and one signature, trained in lockstep.

    Raise ValueError if the configurations differ in a structural key, or if the model does not have ``stacks=True``.
    """

    def __init__(
        self, model: Model, configs: list[Config], data: Data, seeds: list[int], dtype: torch.dtype = torch.float32
    ) -> None:
        if not model.stacks:
            raise ValueError(f"{model.name} does not have stacks=True: its trials cannot be stacked")
        if len({signature(config) for config in configs}) != 1:
            raise ValueError("only trials that agree in every structural key can be stacked")
        self.model, self.config, self.data, self.seeds, self.dtype = model, configs[0], data, seeds, dtype
        trials = [build_nets(model, config, data, seed) for config, seed in zip(configs, seeds, strict=True)]
        self.weights: Weights = {}
        self.buffers: Weights = {}
        self.bare = {name: copy.deepcopy(net.to(dtype)).to("meta") for name, net in trials[0].items()}
        for name in trials[0]:
            weights, buffers = stack_module_state([nets[name].to(dtype) for nets in trials])
            self.weights[name] = {key: value.detach() for key, value in weights.items()}
            self.buffers[name] = buffers
        keys = numeric(configs[0])
        self.hp = {k: torch.tensor([c[k] for c in configs], dtype=dtype, device=data.device) for k in keys}
        self.hp["epoch"] = torch.zeros(len(configs), dtype=dtype, device=data.device)
        self.turns = model.turns(configs[0], data.images.shape)
        self.moments = [self._no_moments(turn) for turn in self.turns]
        self.optimiser_keys = [keys_read(turn.optimiser, configs[0]) for turn in self.turns]
        self.average: dict[str, Tensor] | None = None
        if model.averaged is not None:
            self.average = {name: p.clone() for name, p in self.weights[model.averaged].items()}
        self.per_epoch = torch.tensor([steps_per_epoch(c, data) for c in configs], dtype=dtype, device=data.device)
        self.n_steps = self.per_epoch * torch.tensor([c["epochs"] for c in configs], dtype=dtype, device=data.device)
        self.step_number = 0

    def _no_moments(self, turn: Turn) -> Moments:
        moving = {name: self.weights[name] for name in turn.nets}
        names = OPTIMISERS[turn.optimiser].moments
        return Moments({name: _zeros(moving) for name in names}, torch.zeros((), dtype=self.dtype))

    def _called(self, weights: Weights, buffers: Weights) -> dict[str, Any]:
        """Return the nets with these weights of one trial, as losses call them."""

        def call(name: str) -> Any:
            return lambda *args: functional_call(self.bare[name], {**weights[name], **buffers[name]}, args)

        return {name: call(name) for name in self.bare}

    def _lane_loss(self, turn: Turn) -> Any:
        """Return the gradient and value of a turn's loss, for all trials at once."""

        def loss(
            moving: Weights, resting: Weights, buffers: Weights, batch: Batch, noise: Noise, hp: Hp
        ) -> tuple[Tensor, dict[str, Tensor]]:
            return turn.loss(self._called({**resting, **moving}, buffers), batch, noise, hp)

        return vmap(grad_and_value(loss, has_aux=True))

    def _noise(self, turn: Turn, n: int, i: int) -> dict[str, Tensor]:
        def lanes(key: str, spec: random_streams.Draw) -> Tensor:
            where = (turn.name, key, self.step_number, i)
            return torch.stack([random_streams.draw(spec, n, self.data.device, seed, *where) for seed in self.seeds])

        return {key: lanes(key, spec).to(self.dtype) for key, spec in turn.noise.items()}

    def _take_turn(self, number: int, batch: Batch, i: int) -> Tensor:
        turn = self.turns[number]
        moving = {name: self.weights[name] for name in turn.nets}
        resting = {name: weights for name, weights in self.weights.items() if name not in turn.nets}
        noise = self._noise(turn, batch.y.shape[1], i)
        grads, (loss, _) = self._lane_loss(turn)(moving, resting, self.buffers, batch, noise, self.hp)
        self.moments[number].updates.add_(1)
        self._update(number, grads, self._rates(turn))
        if turn.after is not None:
            self._apply_after(turn, batch, noise)
        if self.average is not None and self.model.averaged in turn.nets:
            ramp = decay(1.0, self.step_number * turn.times + i)
            for name, weight in self.weights[self.model.averaged].items():
                self.average[name].lerp_(weight, _lanes(1 - self.hp["ema"].clamp(max=ramp), weight))
        return loss.detach()  # type: ignore[no-any-return]

    def _rates(self, turn: Turn) -> Tensor:
        """Return the learning rate [K] of each trial at this step."""
        left = (1 - self.step_number / self.n_steps).clamp(min=0)
        rates = self.hp[turn.lr] * (left / self.hp["lr_decay"].clamp(min=1e-9)).clamp(max=1)
        if turn.schedule is None:
            return rates
        factors = [turn.schedule(self.step_number / n) for n in self.n_steps.tolist()]
        return rates * torch.tensor(factors, dtype=self.dtype, device=self.data.device)

    def _update(self, number: int, grads: Weights, rates: Tensor) -> None:
        """Update the weights of a turn in place, with the rate [K] and the other keys of each trial."""
        turn, moments = self.turns[number], self.moments[number]
        for net in turn.nets:
            for name, weight in self.weights[net].items():
                of_weight = {key: weights[net][name] for key, weights in moments.by_name.items()}
                hp = {key: _lanes(self.hp[key], weight) for key in self.optimiser_keys[number]}
                rule = OPTIMISERS[turn.optimiser].update
                rule(weight, grads[net][name], of_weight, moments.updates, _lanes(rates, weight), hp)

    def _apply_after(self, turn: Turn, batch: Batch, noise: Noise) -> None:
        """Change the nets of a turn after an update, see `Turn.after`."""
        after = turn.after
        assert after is not None

        def of_trial(
            name: str, weights: Weights, buffers: Weights, hp: Hp, batch: Batch, noise: Noise
        ) -> dict[str, Tensor]:
            return after(weights[name], buffers[name], hp, batch, noise, self._called(weights, buffers))

        for name in turn.nets:
            state = {**self.weights[name], **self.buffers[name]}
            changes = vmap(partial(of_trial, name))(self.weights, self.buffers, self.hp, batch, noise)
            for key, value in changes.items():
                state[key].copy_(value)

    def step(self) -> dict[str, Tensor]:
        """Take one step of every trial, each on its next batch; return the last losses [K] by turn."""
        train, size, device = self.data.images.train, self.config["batch_size"], self.data.device
        number, i = divmod(self.step_number, len(train) // size)
        first = i * size
        orders = [random_streams.permutation(len(train), device, seed, "order", number) for seed in self.seeds]
        pairs = [train.gather(order[first : first + size], device) for order in orders]
        batch = Batch(torch.stack([x for x, _ in pairs]).to(self.dtype), torch.stack([y for _, y in pairs]))
        self.hp["epoch"].copy_((self.step_number + 1) / self.per_epoch)
        losses = {
            turn.name: self._take_turn(j, batch, i) for j, turn in enumerate(self.turns) for i in range(turn.times)
        }
        self.step_number += 1
        return losses


def _lanes(value: Tensor, like: Tensor) -> Tensor:
    """Return a value [K] as [K, 1, ...], to be broadcast against a stacked weight."""
    return value.view(-1, *[1] * (like.dim() - 1))

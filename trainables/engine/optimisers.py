"""The optimisers of the engine: Adam, AdamW, SGD with momentum, and RMSprop, each with the numbers of torch.optim.

A rule updates one weight by formulas in which each key of the configuration is a number, or [K, 1, ...], a number for
each of K stacked trials (stack.py). torch.optim itself is not used: it imports torch._dynamo (1.5 s and 120 MB in every
worker), it takes one learning rate for a tensor, not K, and it groups and checks its parameters at each step, which
takes 5 % of a small net's step.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from trainables.config_schema import Config

EPS = 1e-8
Number = float | Tensor
Moments = Mapping[str, Tensor]  # by name, each in the shape of the weight
# weight, gradient, moments, updates with this one [], learning rate, values of the keys: changes weight and moments
Update = Callable[[Tensor, Tensor, Moments, Tensor, Number, Mapping[str, Number]], None]


def _with_decay(weight: Tensor, grad: Tensor, hp: Mapping[str, Number]) -> Tensor:
    """Return the gradient with that of the penalty weight_decay |w|^2 / 2."""
    return grad + hp["weight_decay"] * weight if "weight_decay" in hp else grad


def adam(weight: Tensor, grad: Tensor, moments: Moments, updates: Tensor, lr: Number, hp: Mapping[str, Number]) -> None:
    """Update by Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1)."""
    grad, first, second = _with_decay(weight, grad, hp), moments["first"], moments["second"]
    beta1, beta2 = hp["beta1"], hp["beta2"]
    first.lerp_(grad, 1 - beta1)
    second.mul_(beta2).addcmul_(grad * (1 - beta2), grad)
    scale = (second / (1 - beta2**updates)).sqrt_().add_(EPS)
    weight.sub_(lr / (1 - beta1**updates) * first / scale)


def adamw(
    weight: Tensor, grad: Tensor, moments: Moments, updates: Tensor, lr: Number, hp: Mapping[str, Number]
) -> None:
    """Update by Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2)."""
    weight.mul_(1 - lr * hp["weight_decay"])
    adam(weight, grad, moments, updates, lr, {"beta1": hp["beta1"], "beta2": hp["beta2"]})


def sgd(weight: Tensor, grad: Tensor, moments: Moments, updates: Tensor, lr: Number, hp: Mapping[str, Number]) -> None:
    """Update by stochastic gradient descent with momentum (Sutskever et al. 2013, as torch.optim.SGD writes it)."""
    weight.sub_(lr * moments["momentum"].mul_(hp["momentum"]).add_(_with_decay(weight, grad, hp)))


def rmsprop(
    weight: Tensor, grad: Tensor, moments: Moments, updates: Tensor, lr: Number, hp: Mapping[str, Number]
) -> None:
    """Update by RMSprop (Hinton 2012, lecture 6e), not centred; beta2 is what torch calls alpha."""
    grad, beta2 = _with_decay(weight, grad, hp), hp["beta2"]
    square = moments["square"].mul_(beta2).addcmul_(grad * (1 - beta2), grad)
    weight.sub_(lr * moments["momentum"].mul_(hp["momentum"]).add_(grad / (square.sqrt() + EPS)))


class Rule(NamedTuple):
    """An optimiser: its update, the names of its moments, and the keys of the configuration that it reads."""

    update: Update
    moments: tuple[str, ...]
    keys: tuple[str, ...]
    fused: str = ""  # torch's kernel for all weights at once; it has the numbers of torch.optim to the bit


OPTIMISERS = {
    "adam": Rule(adam, ("first", "second"), ("beta1", "beta2", "weight_decay"), "_fused_adam_"),
    "adamw": Rule(adamw, ("first", "second"), ("beta1", "beta2", "weight_decay"), "_fused_adamw_"),
    "sgd": Rule(sgd, ("momentum",), ("momentum", "weight_decay")),
    "rmsprop": Rule(rmsprop, ("square", "momentum"), ("beta2", "momentum", "weight_decay")),
}


def keys_read(name: str, config: Config) -> list[str]:
    """Return the keys that an optimiser reads; our own models train without weight decay and do not have its key."""
    return [key for key in OPTIMISERS[name].keys if key in config]


class Optimiser:
    """Update ``parameters`` by their gradients and the rule of this name; ``updates`` [] counts the updates."""

    def __init__(self, name: str, parameters: list[nn.Parameter], lr: float, config: Config) -> None:
        self.rule, self.parameters, self.lr = OPTIMISERS[name], parameters, lr
        self.hp: dict[str, float] = {key: config[key] for key in keys_read(name, config)}
        self.moments: dict[str, list[Tensor]] = {}  # made at the first update, when dtype and device are final
        self.updates = torch.zeros((), device=parameters[0].device)

    def zero_grad(self) -> None:
        """Remove the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient once."""
        if not self.moments:
            self.moments = {name: [torch.zeros_like(p) for p in self.parameters] for name in self.rule.moments}
        self.updates.add_(1)
        moved = [i for i, p in enumerate(self.parameters) if p.grad is not None]
        fused = getattr(torch, self.rule.fused or "-", None)  # private; torch.optim calls it too
        if fused is not None:
            self._by_kernel(fused, moved)
            return
        for i in moved:
            grad = self.parameters[i].grad
            assert grad is not None
            moments = {name: tensors[i] for name, tensors in self.moments.items()}
            self.rule.update(self.parameters[i], grad, moments, self.updates, self.lr, self.hp)

    def _by_kernel(self, fused: Callable[..., None], moved: list[int]) -> None:
        """Make the update by torch's kernel, in one call."""
        fused(
            [self.parameters[i] for i in moved],
            [self.parameters[i].grad for i in moved],
            *([tensors[i] for i in moved] for tensors in self.moments.values()),
            [],
            [self.updates] * len(moved),
            amsgrad=False,
            lr=self.lr,
            beta1=self.hp["beta1"],
            beta2=self.hp["beta2"],
            weight_decay=self.hp.get("weight_decay", 0.0),
            eps=EPS,
            maximize=False,
            grad_scale=None,
            found_inf=None,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the moments and the number of updates, not copied; the moments are empty before the first update."""
        return {name: self.moments.get(name, []) for name in self.rule.moments} | {"updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Copy what ``state_dict`` returned to the device of the parameters, and use it."""
        if state[self.rule.moments[0]]:
            self.moments = {
                name: [moment.to(p, copy=True) for moment, p in zip(state[name], self.parameters, strict=True)]
                for name in self.rule.moments
            }
        self.updates.copy_(state["updates"])

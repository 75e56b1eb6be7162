"""Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1) by torch's fused kernel, one call for all parameters of a turn.

torch.optim.Adam(fused=True) makes the same call, so the numbers are the same. But torch.optim imports torch._dynamo
(1.5 s and 120 MB in every worker), and it groups and checks its parameters at each step, which takes 5 % of a small
net's step.
"""

from typing import Any

import torch
from torch import Tensor, nn

EPS = 1e-8


class Adam:
    """Update ``parameters`` by their gradients; ``updates`` [] counts the updates."""

    def __init__(self, parameters: list[nn.Parameter], lr: float, betas: tuple[float, float]) -> None:
        self.parameters, self.lr, self.betas = parameters, lr, betas
        self.first: list[Tensor] = []  # moments, made at the first update, when dtype and device are final
        self.second: list[Tensor] = []
        self.updates = torch.zeros((), device=parameters[0].device)

    def zero_grad(self) -> None:
        """Remove the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient once."""
        if not self.first:
            self.first, self.second = ([torch.zeros_like(p) for p in self.parameters] for _ in range(2))
        self.updates.add_(1)
        moved = [i for i, p in enumerate(self.parameters) if p.grad is not None]
        grads = [p.grad for p in self.parameters if p.grad is not None]
        parameters, first, second = (
            [tensors[i] for i in moved] for tensors in (self.parameters, self.first, self.second)
        )
        fused = getattr(torch, "_fused_adam_", None)  # private; torch.optim calls it too
        if fused is None:
            self._by_formula(parameters, grads, first, second)
            return
        fused(
            parameters,
            grads,
            first,
            second,
            [],
            [self.updates] * len(moved),
            amsgrad=False,
            lr=self.lr,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=0.0,
            eps=EPS,
            maximize=False,
            grad_scale=None,
            found_inf=None,
        )

    def _by_formula(
        self, parameters: list[Tensor], grads: list[Tensor], first: list[Tensor], second: list[Tensor]
    ) -> None:
        """Make the update if torch has no such kernel: the same up to rounding, with a call for each parameter."""
        beta1, beta2 = self.betas
        for parameter, grad, m, v in zip(parameters, grads, first, second, strict=True):
            m.lerp_(grad, 1 - beta1)
            v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
            scale = (v / (1 - beta2**self.updates)).sqrt_().add_(EPS)
            parameter.sub_(self.lr / (1 - beta1**self.updates) * m / scale)

    def state_dict(self) -> dict[str, Any]:
        """Return the moments and the number of updates, not copied."""
        return {"first": self.first, "second": self.second, "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Copy what ``state_dict`` returned to the device of the parameters, and use it."""
        for mine, stored in ((self.first, state["first"]), (self.second, state["second"])):
            mine[:] = [moment.to(p, copy=True) for moment, p in zip(stored, self.parameters, strict=bool(stored))]
        self.updates.copy_(state["updates"])

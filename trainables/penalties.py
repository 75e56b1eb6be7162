"""Penalties on the slope of D. A penalty is a function and a line of ``PENALTIES``; GAN and CGAN both use it.

Below, n(x) is the norm of the gradient of D's output in its input x (the images of a pack are one input).

- ``gp``: E (n(x^) - 1)^2, x^ on the line between a real and a generated image (Gulrajani et al. 2017, arXiv:1704.00028,
  eq. 3).
- ``dragan``: E (n(x + d) - 1)^2, x real (Kodali et al. 2017, arXiv:1705.07215, with k = 1). The paper's d is N(0, c)
  with a c for pixels in 0..255, so we follow its code: half the sd of the batch's pixels, times a draw of U[0, 1]
  for each pixel and another for the image.
- ``r1``: E n(x)^2 / 2, x real (Mescheder et al. 2018, arXiv:1801.04406, eq. 9).
- ``clip`` is not a term of the loss: after each update D's weights are clamped to [-``clip``, ``clip``] (Arjovsky et
  al. 2017, arXiv:1701.07875, algorithm 1).

Each term is multiplied by ``penalty_weight``.

The inner gradient is `torch.func.grad`, which works alone and under `vmap`; autograd.grad does not work under `vmap`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from trainables.lazy_import import Tensor, torch
from trainables.random_streams import Draw

Critic = Callable[[Tensor], Tensor]  # inputs [P, ...] -> outputs [P]
Noise = Mapping[str, Tensor]
Hp = Mapping[str, Tensor]
Term = Callable[[Critic, Tensor, Tensor, Noise], Tensor]  # critic, real and fake [P, ...], noise [B >= P, ...] -> []


class Penalty(NamedTuple):
    """A term of D's loss with its random numbers, or a projection of D's weights, or neither."""

    term: Term | None = None  # added to D's loss, times ``penalty_weight``
    noise: Callable[[tuple[int, ...]], dict[str, Draw]] = (
        lambda shape: {}
    )  # image shape -> the random numbers of ``term``
    project: Callable[[Tensor, Hp], Tensor] | None = (
        None  # a weight of D after its update -> the weight within its bounds
    )


def gradients(critic: Critic, x: Tensor) -> Tensor:
    """Return the gradient of each output in its own input: x [P, ...] -> [P, X]."""
    return torch.func.grad(lambda inputs: critic(inputs).sum())(x).flatten(1)  # type: ignore[no-any-return]


def _distance_from_one(critic: Critic, x: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(gradients(critic, x), dim=1)
    return (norms - 1).square().mean()


def _gp(critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
    mix = noise["mix"][: len(real)]
    return _distance_from_one(critic, mix * real + (1 - mix) * fake)


def _dragan(critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
    near = 0.5 * real.std() * noise["mix"][: len(real)] * noise["near"].view_as(real)
    return _distance_from_one(critic, real + near)


def _r1(critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
    return 0.5 * gradients(critic, real).square().sum(1).mean()


def _clip(weight: Tensor, hp: Hp) -> Tensor:
    return torch.clamp(weight, -hp["clip"], hp["clip"])


_MIX = Draw("uniform", (1, 1, 1))
PENALTIES = {
    "none": Penalty(),
    "clip": Penalty(project=_clip),
    "gp": Penalty(_gp, lambda shape: {"mix": _MIX}),
    "dragan": Penalty(_dragan, lambda shape: {"mix": _MIX, "near": Draw("uniform", shape)}),
    "r1": Penalty(_r1),
}

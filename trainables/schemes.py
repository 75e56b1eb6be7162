"""GAN losses. A scheme is two functions of logits and one line of ``SCHEMES``; GAN and CGAN both gain it.

``minimax``: Goodfellow et al. 2014, arXiv:1406.2661, eq. 1. ``non_saturating``: the same discriminator, and the
generator maximises log D(G(z)) instead (§3). One-sided label smoothing (Salimans et al. 2016, arXiv:1606.03498, §3.4)
makes the discriminator's target on real images 1 - ``smoothing``. D is the sigmoid of the logit throughout.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import softplus


class Scheme(NamedTuple):
    d: Callable[[Tensor, Tensor, Tensor], Tensor]  # real logits [B], fake logits [B], smoothing [] -> []
    g: Callable[[Tensor], Tensor]  # fake logits [B] -> []


def _cross_entropy_d(real: Tensor, fake: Tensor, smoothing: Tensor) -> Tensor:
    on_real = (1 - smoothing) * softplus(-real) + smoothing * softplus(real)
    return (on_real + softplus(fake)).mean()


def _minimax_g(fake: Tensor) -> Tensor:
    return -softplus(fake).mean()  # E log(1 - D(G(z)))


def _non_saturating_g(fake: Tensor) -> Tensor:
    return softplus(-fake).mean()  # -E log D(G(z))


SCHEMES = {
    "non_saturating": Scheme(_cross_entropy_d, _non_saturating_g),
    "minimax": Scheme(_cross_entropy_d, _minimax_g),
}

"""GAN losses. A scheme is two functions of D's last outputs and a line of ``SCHEMES``; GAN and CGAN both use it.

``minimax``: Goodfellow et al. 2014, arXiv:1406.2661, eq. 1. ``non_saturating``: the same discriminator, and the
generator maximises log D(G(z)) instead (§3). In both, D is the sigmoid of the output; below, the output itself.
``least_squares``: Mao et al. 2017, arXiv:1611.04076, eq. 9 (targets 0 and 1). ``hinge``: Lim & Ye 2017,
arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, eq. 16 and 17. ``wasserstein``: Arjovsky et al. 2017,
arXiv:1701.07875, algorithm 1, without its clipping: `penalty` or `d_norm` bound D's slope instead.

One-sided label smoothing (Salimans et al. 2016, arXiv:1606.03498, §3.4) makes the discriminator's target on real images
1 - ``label_smoothing``. Only the losses that have a target read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from trainables.lazy_import import Tensor, torch

Hp = Mapping[str, Tensor]


class Scheme(NamedTuple):
    """The two losses of a GAN, and how to read D's outputs."""

    d: Callable[[Tensor, Tensor, Hp], Tensor]  # outputs on real [B], on fake [B], hp -> []
    g: Callable[[Tensor], Tensor]  # outputs on fake [B] -> []
    targets: bool  # whether ``d`` reads ``label_smoothing``
    probability: bool  # whether D is the sigmoid of the output

    def view(self, outputs: Tensor) -> Tensor:
        """Return D(x) for the outputs [B], without a gradient."""
        return torch.sigmoid(outputs.detach()) if self.probability else outputs.detach()


def softplus(x: Tensor) -> Tensor:
    """Return log(1 + e^x), element by element."""
    return torch.nn.functional.softplus(x)


def _cross_entropy_d(real: Tensor, fake: Tensor, hp: Hp) -> Tensor:
    smoothing = hp["label_smoothing"]
    on_real = (1 - smoothing) * softplus(-real) + smoothing * softplus(real)
    return (on_real + softplus(fake)).mean()


def _minimax_g(fake: Tensor) -> Tensor:
    return -softplus(fake).mean()  # E log(1 - D(G(z)))


def _non_saturating_g(fake: Tensor) -> Tensor:
    return softplus(-fake).mean()  # -E log D(G(z))


def _least_squares_d(real: Tensor, fake: Tensor, hp: Hp) -> Tensor:
    return 0.5 * ((real - 1 + hp["label_smoothing"]).square() + fake.square()).mean()


def _least_squares_g(fake: Tensor) -> Tensor:
    return 0.5 * (fake - 1).square().mean()


def _hinge_d(real: Tensor, fake: Tensor, hp: Hp) -> Tensor:
    return (torch.relu(1 - real) + torch.relu(1 + fake)).mean()


def _wasserstein_d(real: Tensor, fake: Tensor, hp: Hp) -> Tensor:
    return (fake - real).mean()


def _critic_g(fake: Tensor) -> Tensor:
    return -fake.mean()


SCHEMES = {
    "non_saturating": Scheme(_cross_entropy_d, _non_saturating_g, targets=True, probability=True),
    "minimax": Scheme(_cross_entropy_d, _minimax_g, targets=True, probability=True),
    "least_squares": Scheme(_least_squares_d, _least_squares_g, targets=True, probability=False),
    "hinge": Scheme(_hinge_d, _critic_g, targets=False, probability=False),
    "wasserstein": Scheme(_wasserstein_d, _critic_g, targets=False, probability=False),
}

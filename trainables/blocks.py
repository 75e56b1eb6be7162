"""Encoders and decoders that the models share: an MLP, and a small strided convolution after DCGAN.

DCGAN: Radford et al. 2015, arXiv:1511.06434, §3 (4x4 kernels, stride 2, no pooling). Ours has two strided layers, so
28x28 images meet 7x7 maps. Legend: B batch, C H W image, Z latent, N width.
"""

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.nn.functional import normalize
from torch.nn.utils.parametrize import register_parametrization

from trainables.engine.interface import Shape
from trainables.errors import UserError


class Unflatten(nn.Module):
    """[B, C*H*W] -> [B, C, H, W]; nn.Unflatten does the same but is not scriptable under functional_call."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], *self.shape)


def mlp(sizes: list[int], act: nn.Module, norm: bool = False) -> nn.Sequential:
    """Return linear layers of these sizes with ``act`` between; ``norm`` normalises all hidden ones but the first."""
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(pairwise(sizes)):
        normed = norm and 0 < i < len(sizes) - 2
        layers += [nn.Linear(a, b, bias=not normed), *([_batch_statistics(nn.BatchNorm1d, b)] if normed else []), act]
    return nn.Sequential(*layers[:-1])


def _batch_statistics(kind: type[nn.BatchNorm1d | nn.BatchNorm2d], width: int) -> nn.Module:
    """Return a batch norm without running averages: a discriminator is used in training only."""
    return kind(width, track_running_stats=False)


def _quarter(shape: Shape) -> tuple[int, int]:
    _, h, w = shape
    if h % 4 or w % 4:
        raise UserError(f"net='conv' halves the image twice, and {h}x{w} is not a multiple of 4: use net=mlp or resize")
    return h // 4, w // 4


def encoder(
    net: str, shape: Shape, width: int, out: int, act: nn.Module, depth: int = 1, norm: bool = False
) -> nn.Sequential:
    """Return a net [B, C, H, W] -> [B, out].

    ``depth`` is the number of hidden layers of the MLP. ``norm`` puts batch normalisation behind all hidden layers but
    the first (Radford et al. 2015, §3). Raise UserError if ``net`` is "conv" and H or W is not a multiple of 4.
    """
    c, h, w = shape
    if net == "mlp":
        return nn.Sequential(nn.Flatten(), *mlp([c * h * w, *[width] * depth, out], act, norm))
    qh, qw = _quarter(shape)
    return nn.Sequential(
        nn.Conv2d(c, width, 4, 2, 1),  # [B, N, H/2, W/2]
        act,
        nn.Conv2d(width, 2 * width, 4, 2, 1, bias=not norm),  # [B, 2N, H/4, W/4]
        *([_batch_statistics(nn.BatchNorm2d, 2 * width)] if norm else []),
        act,
        nn.Flatten(),
        nn.Linear(2 * width * qh * qw, out),
    )


def decoder(
    net: str, shape: Shape, width: int, z: int, act: nn.Module, depth: int = 1, norm: bool = False
) -> nn.Sequential:
    """Return a net [B, Z] -> [B, C, H, W], unbounded.

    ``norm`` puts batch normalisation behind the hidden layers of the conv net. Raise UserError as `encoder` does.
    """
    c, h, w = shape
    if net == "mlp":
        return nn.Sequential(*mlp([z, *[width] * depth, c * h * w], act), Unflatten(shape))
    qh, qw = _quarter(shape)
    return nn.Sequential(
        nn.Linear(z, 2 * width * qh * qw, bias=not norm),  # batch norm would cancel a bias
        Unflatten((2 * width, qh, qw)),
        nn.BatchNorm2d(2 * width) if norm else nn.Identity(),
        act,
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=not norm),  # [B, N, H/2, W/2]
        nn.BatchNorm2d(width) if norm else nn.Identity(),
        act,
        nn.ConvTranspose2d(width, c, 4, 2, 1),  # [B, C, H, W]
    )


def dcgan_init(net: nn.Module) -> None:
    """Draw convolutions from N(0, 0.02^2) and batch-norm scales from N(1, 0.02^2) (Radford et al. 2015, §3.1)."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)


class Spectral(nn.Module):
    """W [O, ...] -> W / sigma, sigma the largest singular value of W as a matrix of O rows.

    Miyato et al. 2018, arXiv:1802.05957, algorithm 1. ``u``, the estimate of the left singular vector, is state; with
    the paper's v = W'u / |W'u| its sigma = u'Wv is |W'u|, and u is constant for the gradient. torch moves u in
    every forward pass; here `spectral_vectors_after` moves it after each update of W, so that a forward pass has no
    side effect.
    """

    u: Tensor  # [O]

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        u = torch.randn(len(weight))
        for _ in range(15):  # so that the first sigma is accurate
            u = _power_iteration(weight.detach(), u)
        self.register_buffer("u", u)

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            sigma: Tensor = vector_norm(self.u @ weight.flatten(1))
            return weight / sigma


def _power_iteration(weight: Tensor, u: Tensor) -> Tensor:
    rows = weight.flatten(1)  # [O, I]
    return normalize(rows @ normalize(u @ rows, dim=0), dim=0)


def spectral_norm(net: nn.Module) -> None:
    """Put ``Spectral`` on every weight matrix of ``net``."""
    for module in list(net.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
            register_parametrization(module, "weight", Spectral(module.weight))


def spectral_vectors_after(weights: Mapping[str, Tensor], buffers: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the ``u`` of every ``Spectral`` in a net after a power iteration on its present weights, by name."""
    vectors = ((name, name.removesuffix("0.u") + "original") for name in buffers if name.endswith("0.u"))
    return {name: _power_iteration(weights[weight], buffers[name]) for name, weight in vectors}

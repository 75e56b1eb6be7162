"""Encoders and decoders that the models share.

Three kinds of net: ``mlp`` has hidden layers of one width; the widths of ``pyramid`` double three times towards the
image (w, 2w, 4w); ``conv`` is DCGAN's (Radford et al. 2015, arXiv:1511.06434, §3: 4x4 kernels, stride 2, no pooling),
whose channels double from the image inwards (w, 2w, ...). It halves the image until its smaller side is 4 to 7: once at
8 pixels, twice at 28, three times at 32, four times at 64. Legend: B batch, C H W image, Z latent, N width, F features.
"""

import math
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


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014) by given random numbers: h [B, ...], u [B, ...] ~ U[0, 1) -> h where u >= p.

    torch's own draws from the global random state, by which a resumed trial would compute other numbers.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, h: Tensor, u: Tensor) -> Tensor:
        return h * (u.view(h.shape) >= self.p) / (1 - self.p)


def _batch_statistics(kind: type[nn.BatchNorm1d | nn.BatchNorm2d], width: int) -> nn.Module:
    """Return a batch norm without running averages: a discriminator is used in training only."""
    return kind(width, track_running_stats=False)


def hidden_widths(net: str, width: int, depth: int) -> list[int]:
    """Return the sizes of the hidden layers of a net without convolutions, from the code to the image."""
    return [width, 2 * width, 4 * width] if net == "pyramid" else [width] * depth


def halvings(shape: Shape) -> int:
    """Return how often the conv net halves images of this shape.

    Raise UserError if H and W cannot be halved so often.
    """
    _, h, w = shape
    times = max(1, int(math.log2(min(h, w) / 4))) if min(h, w) >= 4 else 1
    if h % 2**times or w % 2**times:
        many = {1: "once", 2: "twice"}.get(times, f"{times} times")
        raise UserError(
            f"net='conv' halves the image {many}, and {h}x{w} is not a multiple of {2**times}: use net=mlp or resize"
        )
    return times


def conv_channels(shape: Shape, width: int) -> list[int]:
    """Return the channels of the conv net's hidden layers, from the image inwards: w, 2w, ..."""
    return [width * 2**i for i in range(halvings(shape))]


def layers(
    net: str, shape: Shape, width: int, act: nn.Module, depth: int = 1, norm: bool = False, dropout: float = 0.0,
    extra: int = 0,
) -> tuple[list[nn.Module], int]:  # fmt: skip
    """Return the hidden layers of a net [B, C, H, W] -> features [B, F], and F.

    ``depth`` is the number of hidden layers of the MLP. ``norm`` puts batch normalisation behind all hidden layers but
    the first (Radford et al. 2015, §3), ``dropout`` a `Dropout` behind every one. A net without convolutions may take
    ``extra`` numbers beside the pixels, [B, C H W + extra]. Raise UserError as `halvings` does.
    """
    c, h, w = shape
    built: list[nn.Module] = []
    drop = [Dropout(dropout)] if dropout else []
    if net == "conv":
        for i, (inputs, outputs) in enumerate(pairwise([c, *conv_channels(shape, width)])):
            normed = norm and i > 0
            built.append(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=not normed))  # [B, N, H/2, W/2]
            built += [*([_batch_statistics(nn.BatchNorm2d, outputs)] if normed else []), act, *drop]
        return [*built, nn.Flatten()], outputs * (h * w >> 2 * (i + 1))
    built.append(nn.Flatten())
    for i, (inputs, outputs) in enumerate(pairwise([c * h * w + extra, *hidden_widths(net, width, depth)[::-1]])):
        normed = norm and i > 0
        built.append(nn.Linear(inputs, outputs, bias=not normed))
        built += [*([_batch_statistics(nn.BatchNorm1d, outputs)] if normed else []), act, *drop]
    return built, outputs


def hidden_units(net: str, shape: Shape, width: int, depth: int = 1) -> int:
    """Return how many numbers all hidden layers of `layers` hold for one image: what its dropout draws."""
    _, h, w = shape
    if net == "conv":
        return sum(n * (h * w >> 2 * (i + 1)) for i, n in enumerate(conv_channels(shape, width)))
    return sum(hidden_widths(net, width, depth))


def encoder(
    net: str, shape: Shape, width: int, out: int, act: nn.Module, depth: int = 1, norm: bool = False
) -> nn.Sequential:
    """Return a net [B, C, H, W] -> [B, out]: `layers`, and a linear one."""
    hidden, features = layers(net, shape, width, act, depth, norm)
    return nn.Sequential(*hidden, nn.Linear(features, out))


def decoder(
    net: str, shape: Shape, width: int, z: int, act: nn.Module, depth: int = 1, norm: bool = False
) -> nn.Sequential:
    """Return a net [B, Z] -> [B, C, H, W], unbounded.

    ``norm`` puts batch normalisation behind the hidden layers of the conv net. Raise UserError as `halvings` does.
    """
    c, h, w = shape
    if net != "conv":
        hidden = [z, *hidden_widths(net, width, depth)]
        pairs = [module for pair in pairwise(hidden) for module in (nn.Linear(*pair), act)]
        return nn.Sequential(*pairs, nn.Linear(hidden[-1], c * h * w), Unflatten(shape))
    channels = conv_channels(shape, width)[::-1]
    times = len(channels)
    built: list[nn.Module] = [
        nn.Linear(z, channels[0] * (h * w >> 2 * times), bias=not norm),  # batch norm would cancel a bias
        Unflatten((channels[0], h >> times, w >> times)),
    ]
    for i, (inputs, outputs) in enumerate(pairwise([*channels, c])):
        built += [nn.BatchNorm2d(inputs) if norm else nn.Identity(), act]
        built.append(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=not norm or i == times - 1))  # [B, N, 2H, 2W]
    return nn.Sequential(*built)


def dcgan_init(net: nn.Module) -> None:
    """Draw the weights of all layers from N(0, 0.02^2) and batch-norm scales from N(1, 0.02^2).

    Radford et al. 2015, §3.1, for the conv net; other nets keep torch's initial weights.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
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

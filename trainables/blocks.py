"""Encoders and decoders that the five models share: an MLP, and a small strided convolution after DCGAN.

DCGAN: Radford et al. 2015, arXiv:1511.06434, §3 (4x4 kernels, stride 2, no pooling). Ours has two strided layers, so
28x28 images meet 7x7 maps. Legend: B batch, C H W image, Z latent, N width.
"""

from itertools import pairwise

from torch import Tensor, nn

from trainables.engine.model import Shape
from trainables.errors import BadInput


class Unflatten(nn.Module):
    """[B, C*H*W] -> [B, C, H, W]; nn.Unflatten does the same but is not scriptable under functional_call."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], *self.shape)


def mlp(sizes: list[int], act: nn.Module) -> nn.Sequential:
    """Linear layers of the given sizes with ``act`` between them."""
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), act]
    return nn.Sequential(*layers[:-1])


def _quarter(shape: Shape) -> tuple[int, int]:
    _, h, w = shape
    if h % 4 or w % 4:
        raise BadInput(f"net='conv' halves the image twice, and {h}x{w} is no multiple of 4: use net=mlp or resize")
    return h // 4, w // 4


def encoder(net: str, shape: Shape, width: int, out: int, act: nn.Module, depth: int = 1) -> nn.Sequential:
    """[B, C, H, W] -> [B, out]. ``depth`` is the number of hidden layers of the MLP."""
    c, h, w = shape
    if net == "mlp":
        return nn.Sequential(nn.Flatten(), *mlp([c * h * w, *[width] * depth, out], act))
    qh, qw = _quarter(shape)
    return nn.Sequential(
        nn.Conv2d(c, width, 4, 2, 1),  # [B, N, H/2, W/2]
        act,
        nn.Conv2d(width, 2 * width, 4, 2, 1),  # [B, 2N, H/4, W/4]
        act,
        nn.Flatten(),
        nn.Linear(2 * width * qh * qw, out),
    )


def decoder(
    net: str, shape: Shape, width: int, z: int, act: nn.Module, depth: int = 1, norm: bool = False
) -> nn.Sequential:
    """[B, Z] -> [B, C, H, W], unbounded. ``norm`` puts batch normalisation behind the hidden layers of the conv net."""
    c, h, w = shape
    if net == "mlp":
        return nn.Sequential(*mlp([z, *[width] * depth, c * h * w], act), Unflatten(shape))
    qh, qw = _quarter(shape)
    return nn.Sequential(
        nn.Linear(z, 2 * width * qh * qw, bias=not norm),  # batch norm would take a bias out again
        Unflatten((2 * width, qh, qw)),
        nn.BatchNorm2d(2 * width) if norm else nn.Identity(),
        act,
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=not norm),  # [B, N, H/2, W/2]
        nn.BatchNorm2d(width) if norm else nn.Identity(),
        act,
        nn.ConvTranspose2d(width, c, 4, 2, 1),  # [B, C, H, W]
    )


def dcgan_init(net: nn.Module) -> None:
    """Convolutions from N(0, 0.02^2), batch-norm scales from N(1, 0.02^2) (Radford et al. 2015, §3.1)."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)

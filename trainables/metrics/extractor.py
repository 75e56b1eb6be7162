"""The pinned classifier whose features and class scores every quality metric uses.

Three convolutions, global average pooling and a linear head, in the spirit of the LeNet scores of Binkowski et al.
2018 (arXiv:1801.01401, section 5): Inception features mean little on small grey images. We depart by pooling the last
map, as Inception's pool3 does, so that one design serves 8x8, 28x28 and 32x32, in under 300 kB and 3 million
multiply-adds per 28x28 image. Training uses batch normalisation; `folded` absorbs it into the convolutions afterwards.
"""

# Shapes: B batch, C H W image, F features, K classes, P planes.

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

STEM_KERNEL, KERNEL = 5, 3


class Scores(NamedTuple):
    """What one extractor pass says of B images."""

    features: Tensor  # [B,F], >= 0
    logits: Tensor  # [B,K]


def make_arch(shape: tuple[int, int, int], n_classes: int) -> dict[str, Any]:
    """The arch dict of an extractor for images of `shape` [C,H,W]; JSON-able, enough to rebuild the net."""
    small = max(shape[1:]) < 16
    return {
        "in_channels": shape[0],
        "size": list(shape[1:]),
        "n_classes": n_classes,
        "channels": [32, 64, 64],
        "strides": [1, 2, 1] if small else [2, 2, 1],
        "planes": 1,
    }


class Extractor(nn.Module):
    """The net of `arch`. forward: x [B,C,H,W] in [0,1] -> Scores(features [B,F], logits [B,K]).

    With P planes > 1 (stacked MNIST) each colour plane is read by the same one-channel net: features are the planes'
    side by side, and the log-probability of class 100r+10g+b is the sum of the three planes' own.
    """

    def __init__(self, arch: dict[str, Any], *, norm: bool = False) -> None:
        """`norm` puts a batch normalisation behind each convolution: for training only."""
        super().__init__()
        self.planes: int = arch["planes"]
        self.in_channels: int = arch["in_channels"]
        layers: list[nn.Module] = []
        n_in, kernel = self.in_channels, STEM_KERNEL
        for n_out, stride in zip(arch["channels"], arch["strides"], strict=True):
            layers.append(nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2))
            layers.append(nn.BatchNorm2d(n_out) if norm else nn.Identity())
            layers.append(nn.ReLU())
            n_in, kernel = n_out, KERNEL
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(n_in, arch["n_classes"])
        # On a CPU oneDNN's convolutions are up to twice as fast in this layout.
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Scores:
        n = x.shape[0]
        planes = x.reshape(n * self.planes, self.in_channels, *x.shape[2:])  # [B*P,C/P,H,W]
        features = self.body(planes).mean((2, 3))  # [B*P,F/P]
        logits = self.head(features)
        if self.planes == 1:
            return Scores(features, logits)
        return Scores(features.reshape(n, -1), _joint(logits.reshape(n, self.planes, -1)))


def _joint(logits: Tensor) -> Tensor:
    """Logits of each plane [B,P,K] -> log-probabilities of every combination [B,K**P], first plane most significant."""
    planes = logits.log_softmax(-1).unbind(1)
    joint = planes[0]
    for plane in planes[1:]:
        joint = (joint[:, :, None] + plane[:, None, :]).flatten(1)
    return joint


def folded(trained: Extractor, arch: dict[str, Any]) -> Extractor:
    """The same function in eval mode, its batch normalisations absorbed by the convolutions before them."""
    plain = Extractor(arch).eval()
    for i, (layer, norm) in enumerate(zip(trained.eval().body, list(trained.body)[1:], strict=False)):
        if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            plain.body[i].load_state_dict(fuse_conv_bn_eval(layer, norm).state_dict())
    plain.head.load_state_dict(trained.head.state_dict())
    return plain

"""The pinned classifier whose features and class scores every quality metric uses.

A modern LeNet: strided convolutions down to a map of 4x4, a layer of 64 features, a linear head. Binkowski et al. 2018
(arXiv:1801.01401, section 5) score small grey images by such a net, since Inception's features mean little there. Ours
differs in size: one design for 8x8, 28x28 and 32x32 images, in under 500 kB and, at 28x28, 1.7 million multiply-adds.
Training uses batch normalisation and dropout; `folded` merges the first into other layers and drops the second.
"""

# Shapes: B batch, C H W image, F features, K classes, P planes.

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

STEM_KERNEL, KERNEL = 5, 3
N_FEATURES = 64
DROPOUT = 0.3


class Scores(NamedTuple):
    """Features and class scores of B images."""

    features: Tensor  # [B,F], >= 0
    logits: Tensor  # [B,K]


def make_arch(shape: tuple[int, int, int], n_classes: int) -> dict[str, Any]:
    """Return the arch of an extractor for images of `shape` (C,H,W): a JSON dict from which the net is built."""
    n_halvings = max(0, (max(shape[1:]) - 1).bit_length() - 2)  # to a map of at most 4x4
    few = {0: [1, 1, 1], 1: [1, 2, 1], 2: [1, 2, 2]}  # small images are not halved by the first layer
    return {
        "in_channels": shape[0],
        "size": list(shape[1:]),
        "n_classes": n_classes,
        "channels": [32] + [64] * (max(3, n_halvings) - 1),
        "strides": few[n_halvings] if n_halvings in few else [2] * n_halvings,
        "features": N_FEATURES,
        "planes": 1,
    }


class Extractor(nn.Module):
    """A net whose forward takes x [B,C,H,W] in [0,1] and returns Scores(features [B,F], logits [B,K])."""


class SmallExtractor(Extractor):
    """The net of `arch`, which is small.

    With P planes > 1 (stacked MNIST) the same one-channel net reads each colour plane. The features are those of the
    planes side by side, and the log-probability of class 100r+10g+b is the sum of those of the three planes.
    """

    def __init__(self, arch: dict[str, Any], *, training: bool = False) -> None:
        """Build the net; `training` puts a batch normalisation behind each layer and dropout before the last."""
        super().__init__()
        self.planes: int = arch["planes"]
        self.in_channels: int = arch["in_channels"]
        height, width = arch["size"]
        n_in, kernel = self.in_channels, STEM_KERNEL
        layers: list[nn.Module] = []
        for n_out, stride in zip(arch["channels"], arch["strides"], strict=True):
            layers.append(nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2))
            layers.append(nn.BatchNorm2d(n_out) if training else nn.Identity())
            layers.append(nn.ReLU())
            n_in, kernel = n_out, KERNEL
            height, width = -(-height // stride), -(-width // stride)
        layers += [nn.Flatten(), nn.Dropout(DROPOUT if training else 0.0)]
        layers.append(nn.Linear(n_in * height * width, arch["features"]))
        layers.append(nn.BatchNorm1d(arch["features"]) if training else nn.Identity())
        self.body = nn.Sequential(*layers, nn.ReLU())
        self.head = nn.Linear(arch["features"], arch["n_classes"])
        # On a CPU oneDNN's convolutions are up to twice as fast in this layout.
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Scores:
        n = x.shape[0]
        planes = x.reshape(n * self.planes, self.in_channels, *x.shape[2:])  # [B*P,C/P,H,W]
        features = self.body(planes)  # [B*P,F/P]
        logits = self.head(features)
        if self.planes == 1:
            return Scores(features, logits)
        return Scores(features.reshape(n, -1), _joint(logits.reshape(n, self.planes, -1)))


def _joint(logits: Tensor) -> Tensor:
    """Return log-probabilities of all combinations [B,K**P] for logits [B,P,K]; the first plane is most significant."""
    planes = logits.log_softmax(-1).unbind(1)
    joint = planes[0]
    for plane in planes[1:]:
        joint = (joint[:, :, None] + plane[:, None, :]).flatten(1)
    return joint


def folded(trained: SmallExtractor, arch: dict[str, Any]) -> SmallExtractor:
    """Return the same function in eval mode, with its batch normalisations merged into the layers before them."""
    plain = SmallExtractor(arch).eval()
    layers = list(trained.eval().body)
    for i, (layer, norm) in enumerate(itertools.pairwise(layers)):
        if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            plain.body[i].load_state_dict(fuse_conv_bn_eval(layer, norm).state_dict())
        if isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
            plain.body[i].load_state_dict(fuse_linear_bn_eval(layer, norm).state_dict())
    plain.head.load_state_dict(trained.head.state_dict())
    return plain

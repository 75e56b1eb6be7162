"""Real images damaged in known ways: what calibration.py measures every metric on."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

OVERWEIGHT = 3.2


class Pool(NamedTuple):
    """The test images in random order, and what the extractor says of its own errors on them."""

    x: Tensor  # [N,C,H,W] in [0,1]
    y: Tensor  # [N]
    easy: list[int]  # classes, the best separated first
    generator: torch.Generator

    def of(self, classes: list[int]) -> Tensor:
        """The images of these classes."""
        return self.x[torch.isin(self.y, torch.tensor(classes))]


def noisy(sd: float) -> Callable[[Pool], Tensor]:
    """Independent normal noise on each pixel, clipped."""
    return lambda pool: (pool.x + sd * torch.randn(pool.x.shape, generator=pool.generator)).clamp(0, 1)


def blurred(pool: Pool) -> Tensor:
    """The mean over 3 x 3 pixels."""
    return avg_pool2d(pool.x, 3, 1, 1, count_include_pad=False)


def dropped(pool: Pool) -> Tensor:
    """All classes but the best separated one."""
    return pool.x[pool.y != pool.easy[0]]


def overweight(pool: Pool) -> Tensor:
    """All images of the best separated class, and so few of the others that its share is OVERWEIGHT times its own."""
    mine = pool.y == pool.easy[0]
    n_mine = int(mine.sum())
    n_others = round(n_mine / (OVERWEIGHT * n_mine / len(pool.y))) - n_mine
    mixed = torch.cat([pool.x[mine], pool.x[~mine][:n_others]])
    return mixed[torch.randperm(len(mixed), generator=pool.generator)]


def repeated(n: int) -> Callable[[Pool], Tensor]:
    """The first n images over and over, in random order."""

    def make(pool: Pool) -> Tensor:
        which = torch.arange(n).repeat(len(pool.x) // n)
        return pool.x[which[torch.randperm(len(which), generator=pool.generator)]]

    return make


DAMAGE: dict[str, Callable[[Pool], Tensor]] = {
    "real": lambda pool: pool.x,
    "noise .1": noisy(0.1),
    "noise .3": noisy(0.3),
    "3x3 blur": blurred,
    "one class dropped": dropped,
    "five classes": lambda pool: pool.of(pool.easy[:5]),
    "one class": lambda pool: pool.of(pool.easy[:1]),
    f"one class x {OVERWEIGHT}": overweight,
    "100 images x 100": repeated(100),
    "1,000 images x 10": repeated(1000),
    "uniform noise": lambda pool: torch.rand(pool.x.shape, generator=pool.generator),
}

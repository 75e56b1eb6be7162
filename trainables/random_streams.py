"""Random draws, each a function of (seed, stream, step, shape) and of nothing else.

Each draw seeds a new generator from a hash, so no generator state has to be saved. A trial's numbers do not depend on
other trials, on the worker, or on how often it was interrupted. Draws are made on the CPU and then moved, so that a
trial gets the same numbers on every device.
"""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple

from trainables.lazy_import import Tensor, torch


class Draw(NamedTuple):
    """Random numbers that a loss needs for each image: the distribution, and the shape without the batch axis."""

    kind: Literal["normal", "uniform"]
    shape: tuple[int, ...]


def derive_seed(seed: int, *parts: str | int, bits: int = 63) -> int:
    """Return a new seed in [0, 2^bits), a different one for each path of names and numbers."""
    n_bytes = -(-bits // 8)
    digest = hashlib.blake2b("/".join(map(str, (seed, *parts))).encode(), digest_size=n_bytes).digest()
    return int.from_bytes(digest, "big") >> (8 * n_bytes - bits)


def generator(seed: int, *parts: str | int) -> torch.Generator:
    """Return a generator on the CPU, seeded by `derive_seed`."""
    return torch.Generator().manual_seed(derive_seed(seed, *parts))


def draw(spec: Draw, n: int, device: str, seed: int, *parts: str | int) -> Tensor:
    """Return ``n`` draws, float32 [n, *spec.shape] on ``device``, from N(0, 1) or U[0, 1)."""
    make = torch.randn if spec.kind == "normal" else torch.rand
    values = make((n, *spec.shape), generator=generator(seed, *parts))
    return values if device == "cpu" else values.to(device, non_blocking=True)


def permutation(n: int, device: str, seed: int, *parts: str | int) -> Tensor:
    """Return a random order of ``n`` images, int64 [n] on ``device``."""
    return torch.randperm(n, generator=generator(seed, *parts)).to(device)

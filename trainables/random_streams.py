"""Every random draw: a function of (seed, stream, step, shape) and of nothing else.

Each draw seeds a generator of its own from a hash, so nothing has a position to save, and a trial's numbers do not
depend on its neighbours, on the worker, or on how often it was interrupted. Draws are made on the CPU and moved, so
that a trial sees the same numbers on every device.
"""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple

from trainables.lazy_import import Tensor, torch


class Draw(NamedTuple):
    """What a loss wants drawn for each image: the distribution and the shape behind the batch axis."""

    kind: Literal["normal", "uniform"]
    shape: tuple[int, ...]


def derive_seed(seed: int, *parts: str | int, bits: int = 63) -> int:
    """Return a new seed in [0, 2^bits), another one for each path of names and numbers."""
    n_bytes = -(-bits // 8)
    digest = hashlib.blake2b("/".join(map(str, (seed, *parts))).encode(), digest_size=n_bytes).digest()
    return int.from_bytes(digest, "big") >> (8 * n_bytes - bits)


def generator(seed: int, *parts: str | int) -> torch.Generator:
    return torch.Generator().manual_seed(derive_seed(seed, *parts))


def draw(spec: Draw, n: int, device: str, seed: int, *parts: str | int) -> Tensor:
    """``n`` draws: float32 [n, *spec.shape] on ``device``; N(0, 1) or U[0, 1)."""
    make = torch.randn if spec.kind == "normal" else torch.rand
    drawn = make((n, *spec.shape), generator=generator(seed, *parts))
    return drawn if device == "cpu" else drawn.to(device, non_blocking=True)


def permutation(n: int, device: str, seed: int, *parts: str | int) -> Tensor:
    """A random order of ``n`` images: int64 [n] on ``device``."""
    return torch.randperm(n, generator=generator(seed, *parts)).to(device)

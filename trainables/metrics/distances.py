"""Euclidean distances between two sets of features, in chunks, by one matrix product each.

|a - b|^2 = |a|^2 + |b|^2 - 2 a.b loses its digits where a is close to b, and it is the close ones that count here. So
both sides are moved to a common centre first, and the few nearest are measured again as the difference they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

ROWS = 500  # a chunk against 5,000 is 10 MB


class Nearest(NamedTuple):
    """For each row its k nearest, in order."""

    distance: Tensor  # [N,k], not squared
    which: Tensor  # [N,k]


def chunks(a: Tensor, b: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Squared distances [<=ROWS,M] from rows of a [N,F] on to b [M,F], each with the number of its first row."""
    centre = b.mean(0)
    a, b = a - centre, b - centre
    b_norm = b.square().sum(1)
    for i in range(0, len(a), ROWS):
        rows = a[i : i + ROWS]
        d = torch.addmm(b_norm[None], rows, b.T, alpha=-2).add_(rows.square().sum(1, keepdim=True))
        yield i, d.clamp_min_(0)


def nearest(a: Tensor, b: Tensor, k: int, *, same: bool = False) -> Nearest:
    """The k nearest rows of b [M,F] to each row of a [N,F]; with `same`, a is b and no row is its own neighbour."""
    found = [_smallest(d, i, k, same) for i, d in chunks(a, b)]
    index = torch.cat(found)  # [N,k]
    exact = torch.cat([(x[:, None] - b[of]).norm(dim=2) for x, of in zip(torch.split(a, ROWS), found, strict=True)])
    distance, order = exact.sort(1)
    return Nearest(distance, index.gather(1, order))


def _smallest(d: Tensor, first: int, k: int, same: bool) -> Tensor:
    if same:
        d[:, first:].fill_diagonal_(torch.inf)
    return d.topk(k, largest=False).indices

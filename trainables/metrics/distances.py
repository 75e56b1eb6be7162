"""Euclidean distances between two sets of features, in chunks, by one matrix product each.

|a - b|^2 = |a|^2 + |b|^2 - 2 a.b loses precision if a is close to b, and here the close ones matter. So both
sides are moved to a common centre first, and the few nearest are measured again by their difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from trainables.lazy_import import Tensor, torch

CHUNK = 2_500_000  # distances at once: 10 MB, which fits a cache
BLOCK = 1000  # rows of each side at once, if only the nearest is needed: 4 MB, and a square product is fast


class Nearest(NamedTuple):
    """The k nearest rows of each row, nearest first."""

    distance: Tensor  # [N,k], not squared
    which: Tensor  # [N,k]
    close: Tensor  # [N] how many rows are nearer than the limit


def chunks(a: Tensor, b: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yield the squared distances [rows,M] of some rows of a [N,F] to b [M,F], after the number of the first row."""
    centre = b.mean(0)
    a, b = a - centre, b - centre
    b_norm = b.square().sum(1)
    n_rows = max(1, CHUNK // len(b))
    for i in range(0, len(a), n_rows):
        rows = a[i : i + n_rows]
        d = torch.addmm(b_norm[None], rows, b.T, alpha=-2).add_(rows.square().sum(1, keepdim=True))
        yield i, d.clamp_min_(0)


def nearest(a: Tensor, b: Tensor, k: int, *, same: bool = False, limit: float = 0.0) -> Nearest:
    """Return the k rows of b [M,F] nearest to each row of a [N,F].

    With `same`, a is b and a row is not its own neighbour. `limit` is the distance for `Nearest.close`.
    """
    which, exact, close = [], [], []
    for i, d in chunks(a, b):
        if same:
            d[:, i:].fill_diagonal_(torch.inf)
        near = d.topk(k, largest=False).indices  # [rows,k]
        which.append(near)
        exact.append((a[i : i + len(d), None] - b[near]).norm(dim=2))
        close.append((d < limit**2).sum(1))
    distance, order = torch.cat(exact).sort(1)
    return Nearest(distance, torch.cat(which).gather(1, order), torch.cat(close))


def closest(a: Tensor, b: Tensor) -> Tensor:
    """Return the distance from each row of a [N,F] to the nearest row of b [M,F]: [N], not squared."""
    centre = b.mean(0)
    from_b = b - centre
    b_norm = from_b.square().sum(1)
    distances = []
    for rows in torch.split(a, BLOCK):
        least = torch.full((len(rows),), torch.inf, device=a.device)
        which = torch.zeros(len(rows), dtype=torch.long, device=a.device)
        for j in range(0, len(b), BLOCK):
            # Less the norm of the row itself, which does not matter for the order.
            d = torch.addmm(b_norm[None, j : j + BLOCK], rows - centre, from_b[j : j + BLOCK].T, alpha=-2)
            near, column = d.min(1)
            which = torch.where(near < least, column + j, which)
            least = torch.minimum(near, least)
        distances.append((rows - b[which]).norm(dim=1))
    return torch.cat(distances)

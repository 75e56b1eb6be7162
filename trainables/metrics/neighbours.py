"""The one nearest-neighbour pass: who lies in whose ball, shared by every metric that asks.

n samples against n real images (Naeem et al. 2020, arXiv:2002.09797, eq. 3 to 7, with their k = 5), n being 5,000 or
as many as there are. Both sides are of one size because a ball's radius shrinks as its set grows. The ball of an image
reaches to its k-th nearest other one, and whatever lies on its edge is outside.
"""

from __future__ import annotations

from typing import NamedTuple

from trainables.lazy_import import Tensor, torch
from trainables.metrics.distances import Nearest, chunks, nearest

N_NEIGHBOURS = 5_000
K = 5
TWINS = 0.01


class Neighbours(NamedTuple):
    """Distances and counts of n samples and n real images in feature space."""

    own: Tensor  # [n] from each sample to its nearest other sample
    partner: Tensor  # [n] and which one that is
    close: Tensor  # [n] other samples that are nearer than `limit`
    limit: float  # the distance below which TWINS of the real images have their nearest other one
    balls: Tensor  # [n] real balls in which each sample lies
    covered: Tensor  # [n] bool: a real image whose ball holds a sample
    recalled: Tensor  # [n] bool: a real image that lies in the ball of a sample


class Balls(NamedTuple):
    """How far the members of a set are from each other."""

    own: Tensor  # [n] to the nearest other
    radius: Tensor  # [n] to the k-th nearest other


def balls(features: Tensor) -> Balls:
    """The balls of features [n,F]; where n <= K, to the farthest other one."""
    found = _others(features)
    return Balls(found.distance[:, 0], found.distance[:, -1])


def neighbours(samples: Tensor, real: Tensor, real_balls: Balls) -> Neighbours:
    """The tables of samples [N,F] and real images [M,F], whose balls are known; of both the first n are taken."""
    n = min(len(samples), len(real), N_NEIGHBOURS)
    samples = samples[:n]
    own, real_radius = real_balls if n == len(real) else balls(real[:n])
    limit = float(torch.quantile(own, TWINS))
    others = _others(samples, limit)
    radius = others.distance[:, -1]
    inside = torch.zeros(n, dtype=torch.long, device=samples.device)
    covered, recalled = [], []
    for i, d in chunks(real[:n], samples):  # [rows of real, samples]
        held = d < real_radius[i : i + len(d), None].square()
        inside += held.sum(0)
        covered.append(held.any(1))
        recalled.append((d < radius.square()).any(1))
    of_samples = (others.distance[:, 0], others.which[:, 0], others.close, limit)
    return Neighbours(*of_samples, inside, torch.cat(covered), torch.cat(recalled))


def _others(features: Tensor, limit: float = 0.0) -> Nearest:
    return nearest(features, features, min(K, len(features) - 1), same=True, limit=limit)

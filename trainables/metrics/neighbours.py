"""Find nearest neighbours once, for every metric that needs them: which images lie in the balls of which others.

It compares n samples with n real images (Naeem et al. 2020, arXiv:2002.09797, eq. 3 to 7, with their k = 5); n is
5,000, or fewer if there are fewer. Both sets have the same size because a ball's radius shrinks as its set grows. The
ball of an image extends to its k-th nearest other one; an image on its edge is outside.
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

    nearest: Tensor  # [n] from each sample to its nearest other sample
    partner: Tensor  # [n] the number of that sample
    close: Tensor  # [n] other samples that are nearer than `limit`
    limit: float  # the share TWINS of the real images has its nearest other one below this distance
    balls: Tensor  # [n] real balls in which each sample lies
    covered: Tensor  # [n] bool: a real image whose ball holds a sample
    recalled: Tensor  # [n] bool: a real image that lies in the ball of a sample


class Balls(NamedTuple):
    """How far the members of a set are from each other."""

    nearest: Tensor  # [n] to the nearest other
    radius: Tensor  # [n] to the k-th nearest other


def balls(features: Tensor) -> Balls:
    """Return the balls of features [n,F]; if n <= K, they extend to the farthest other one."""
    distance = _others(features).distance
    return Balls(distance[:, 0], distance[:, -1])


def neighbours(samples: Tensor, real: Tensor, real_balls: Balls) -> Neighbours:
    """Return the neighbours of the first n samples [N,F] and the first n real images [M,F], whose balls are known."""
    n = min(len(samples), len(real), N_NEIGHBOURS)
    samples = samples[:n]
    real_nearest, real_radius = real_balls if n == len(real) else balls(real[:n])
    limit = float(torch.quantile(real_nearest, TWINS))
    others = _others(samples, limit)
    radius = others.distance[:, -1]
    inside = torch.zeros(n, dtype=torch.long, device=samples.device)
    covered, recalled = [], []
    for i, d in chunks(real[:n], samples):  # [rows of real, samples]
        in_ball = d < real_radius[i : i + len(d), None].square()
        inside += in_ball.sum(0)
        covered.append(in_ball.any(1))
        recalled.append((d < radius.square()).any(1))
    of_samples = (others.distance[:, 0], others.which[:, 0], others.close, limit)
    return Neighbours(*of_samples, inside, torch.cat(covered), torch.cat(recalled))


def _others(features: Tensor, limit: float = 0.0) -> Nearest:
    return nearest(features, features, min(K, len(features) - 1), same=True, limit=limit)

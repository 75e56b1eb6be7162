"""Does a generator draw the same image again? The birthday test of Arora and Zhang 2017, arXiv:1706.08224.

If two of s samples are often near-identical, the generator has about s^2 images. In the paper a person looks at the
closest pairs (`closest`, for a picture). We also call a pair near-identical if its distance is below that of the
closest 1 % of the real images to their nearest neighbour, so that a perfect generator has `duplicates` of .01.
`support` is the reciprocal of the share of such pairs: M equally likely images give 1/M. `copies` are equal in every
pixel of 8 bits.
"""

from __future__ import annotations

import numpy as np

from trainables.images import to_uint8
from trainables.lazy_import import torch
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.manifold import share
from trainables.metrics.types import NEIGHBOURS, MetricKey, Value

SHOWN = 12


def duplicates(inputs: EvalInputs) -> dict[str, Value]:
    """Return all keys of KEYS.

    `closest` is [[sample, other sample, distance], ...], the nearest pairs first, each sample at most once.
    """
    pairs = inputs.neighbours
    value, se = share(pairs.nearest <= pairs.limit)
    n, close = len(pairs.nearest), int(pairs.close.sum())
    copies, copies_se = share(_copied(inputs.images[:n]))
    return {
        "duplicates": value,
        "duplicates_se": se,
        "support": n * (n - 1) / max(close, 2),
        "copies": copies,
        "copies_se": copies_se,
        "closest": _closest(pairs.nearest, pairs.partner),
    }


def _copied(images: torch.Tensor) -> torch.Tensor:
    """Return which of images [N,C,H,W] equal another one, bool [N]."""
    pixels = to_uint8(images).flatten(1).cpu().numpy()
    rows = np.ascontiguousarray(pixels).view(np.dtype((np.void, pixels.shape[1])))[:, 0]
    _, which, count = np.unique(rows, return_inverse=True, return_counts=True)
    return torch.from_numpy(count[which] > 1)


def _closest(distance: torch.Tensor, partner: torch.Tensor) -> list[list[float]]:
    """Return [sample, partner, distance] of the SHOWN nearest pairs, nearest first, each sample at most once."""
    pairs: list[list[float]] = []
    used: set[int] = set()
    for i in distance.argsort().tolist():
        j = int(partner[i])
        if not {i, j} & used:
            used |= {i, j}
            pairs.append([i, j, float(distance[i])])
        if len(pairs) == SHOWN:
            break
    return pairs


KEYS = {
    "duplicates": MetricKey(
        "duplicates",
        "min",
        "share of the samples with a near-identical other; real images have .01",
        "0..1",
        NEIGHBOURS,
    ),
    "support": MetricKey(
        "support", "max", "distinct images, by the share of near-identical pairs", "images", NEIGHBOURS
    ),
    "copies": MetricKey(
        "copies", "min", "share of the samples with an equal in every pixel", "0..1", ("n_neighbours",)
    ),
    "closest": MetricKey("closest pairs", None, "sample, other sample, distance", "", NEIGHBOURS, many=True),
}

"""Does a generator draw the same image again? The birthday test of Arora and Zhang 2017, arXiv:1706.08224.

If two of s draws are often near-identical, the generator knows about s^2 images. The paper has a person look at the
closest pairs (`closest`, for a picture). We also call a pair near-identical below the distance that 1 % of the real
images have to their nearest other one, so that a perfect generator has `duplicates` of that share. `support` turns the
share of such pairs round: M images drawn evenly give 1/M. `copies` are alike in every pixel of 8 bits.
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
    """All keys below; `closest` is [[sample, other sample, distance], ...], each sample once, nearest first."""
    found = inputs.neighbours
    value, se = share(found.own <= found.limit)
    n, close = len(found.own), int(found.close.sum())
    copies, copies_se = share(_copied(inputs.images[:n]))
    return {
        "duplicates": value,
        "duplicates_se": se,
        "support": n * (n - 1) / max(close, 2),
        "copies": copies,
        "copies_se": copies_se,
        "closest": _closest(found.own, found.partner),
    }


def _copied(images: torch.Tensor) -> torch.Tensor:
    """Which of images [N,C,H,W] have an equal, bool [N]."""
    pixels = to_uint8(images).flatten(1).cpu().numpy()
    rows = np.ascontiguousarray(pixels).view(np.dtype((np.void, pixels.shape[1])))[:, 0]
    _, which, count = np.unique(rows, return_inverse=True, return_counts=True)
    return torch.from_numpy(count[which] > 1)


def _closest(own: torch.Tensor, partner: torch.Tensor) -> list[list[float]]:
    pairs: list[list[float]] = []
    seen: set[int] = set()
    for i in own.argsort().tolist():
        j = int(partner[i])
        if not {i, j} & seen:
            seen |= {i, j}
            pairs.append([i, j, float(own[i])])
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

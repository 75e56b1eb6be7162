"""Does a generator draw the same image again? The birthday test of Arora and Zhang 2017, arXiv:1706.08224.

If two of s draws are often near-identical, the generator knows about s^2 images. The paper has a person look at the
closest pairs; we call a pair near-identical below the distance that TWINS of the real images have to their nearest
other one, so that a perfect generator has that share too. Exact copies are counted by their pixels.
"""

from __future__ import annotations

import torch

from trainables.metrics.evidence import Evidence
from trainables.metrics.manifold import share
from trainables.metrics.metric import NEIGHBOURS, Key

TWINS = 0.01


def duplicates(evidence: Evidence) -> dict[str, float]:
    """`duplicates`: share of samples with a near-identical other sample, 0..1."""
    found = evidence.neighbours
    limit = torch.quantile(found.real_own, TWINS)
    value, se = share(found.own <= limit)
    return {"duplicates": value, "duplicates_se": se}


KEYS = {
    "duplicates": Key(
        "duplicates", "min", "share of the samples with a near-identical other; real have .01", "0..1", NEIGHBOURS
    ),
}

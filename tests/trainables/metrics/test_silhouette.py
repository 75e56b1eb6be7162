"""The silhouette of codes against scikit-learn's."""

import torch
from sklearn.metrics import silhouette_score

from trainables.metrics.silhouette import coefficient


def test_silhouette__equals_scikit_learn() -> None:
    drawn = torch.Generator().manual_seed(0)
    z, y = torch.randn(200, 2, generator=drawn), torch.randint(0, 5, (200,), generator=drawn)
    z += 2 * y[:, None]
    y[0] = 6  # alone in its class, and class 5 is empty
    assert abs(coefficient(z, y) - silhouette_score(z.numpy(), y.numpy())) < 1e-6
    assert coefficient(z, y) > 0.1

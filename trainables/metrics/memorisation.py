"""Are samples nearer to the training images than new real images are?

Distances in feature space from N_MEMORISED samples, and from as many held-out images, to the nearest of all training
images (the comparison of Meehan et al. 2020, arXiv:2004.05675, without its cells). `memorised` is the share of samples
nearer than all but 1 % of the held-out ones, so .01 for new images. `train_distance` is the ratio of the medians, 1 for
new images. Both detect copies. But good generators that draw only typical images are nearer too, so read them together
with recall (Stein et al. 2023, arXiv:2306.04675, section 5, on how little such scores prove).
"""

from __future__ import annotations

from trainables.lazy_import import torch
from trainables.metrics.distances import closest
from trainables.metrics.evaluator import N_MEMORISED
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.manifold import share
from trainables.metrics.types import MetricKey

NEAR = 0.01


def memorisation(inputs: EvalInputs) -> dict[str, float]:
    """Return all keys of KEYS."""
    device = inputs.device
    train, held_out = (torch.tensor(array).to(device) for array in inputs.evaluator.train)
    distance = closest(inputs.features[:N_MEMORISED], train)
    value, se = share(distance < torch.quantile(held_out, NEAR))
    return {
        "memorised": value,
        "memorised_se": se,
        "train_distance": float(distance.median() / held_out.median().clamp_min(1e-12)),
    }


_STAMP = ("extractor", "n_train")
KEYS = {
    "memorised": MetricKey(
        "memorised",
        "min",
        "share of samples nearer to a training image than 99 % of held-out images are",
        "0..1",
        _STAMP,
    ),
    "train_distance": MetricKey(
        "distance to train",
        None,
        "median distance to the nearest training image over that of held-out images",
        "",
        _STAMP,
    ),
}

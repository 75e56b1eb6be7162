"""Do the pixels of samples have the range, the scale and the variety of real images?

A wrong scale or range makes every metric of features void, and these metrics cannot show it themselves. `class_spread`
is for a conditional generator that draws one image a class: the standard deviation of a pixel over the samples of one
label, against that over real images of one class. Both are roots of mean variances, over pixels and classes.
"""

from __future__ import annotations

import math

from trainables.data import Dataset
from trainables.lazy_import import Tensor, torch
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.types import MetricKey, Value

N_IMAGES, ENOUGH = 2_000, 200  # images of each side; fewer if they are large, but `ENOUGH`
N_VALUES = 10_000_000  # pixels of each side: 40 MB
FLAT = 1e-6  # standard deviation of real images that do not differ
ROUNDING = 1e-6  # a pixel is outside of [0, 1] if it is further outside than this


def pixels(inputs: EvalInputs) -> dict[str, Value]:
    """Return `pixel_shift` and `pixel_scale`, unless all real pixels are equal, and `out_of_range`."""
    real, _ = _real(inputs)
    x = inputs.images[: len(real)]
    values: dict[str, Value] = {"out_of_range": float(((x < -ROUNDING) | (x > 1 + ROUNDING)).double().mean())}
    if (sd := float(real.std())) > FLAT:
        values |= {"pixel_shift": float(x.mean() - real.mean()) / sd, "pixel_scale": float(x.std()) / sd}
    return values


def class_spread(inputs: EvalInputs) -> dict[str, Value]:
    """Return `class_spread`, or nothing if there are too few images of a class, or the real ones do not differ."""
    assert inputs.labels is not None
    real = within(*_real(inputs))
    n = len(inputs.labels[: _count(inputs)])
    samples = within(inputs.images[:n], inputs.labels[:n])
    if real is None or samples is None or real <= FLAT:
        return {}
    return {"class_spread": samples / real}


def within(x: Tensor, y: Tensor) -> float | None:
    """Return the root of the mean variance of a pixel within a class; None if most classes have a single image.

    x [N,C,H,W] are images, y [N] their classes. The variance is pooled over classes: N - K degrees of freedom.
    """
    flat, y = (x - x.mean(0)).flatten(1), y.to(x.device)  # [N,P], near 0 so that the squares are exact enough
    count = torch.bincount(y)  # [K]
    freedom = len(x) - int((count > 0).sum())
    if 2 * freedom < len(x):
        return None
    sums = torch.zeros(len(count), flat.shape[1], device=x.device).index_add_(0, y, flat)
    squares = flat.square().double().sum() - (sums.double().square() / count.clamp_min(1)[:, None]).sum()
    return math.sqrt(max(0.0, float(squares)) / (freedom * flat.shape[1]))


def _count(inputs: EvalInputs) -> int:
    return min(N_IMAGES, len(inputs.images), max(ENOUGH, N_VALUES // inputs.images[0].numel()))


def _real(inputs: EvalInputs) -> tuple[Tensor, Tensor]:
    """Return training images, evenly spaced, with their labels: as many as samples are used, if there are so many."""
    data: Dataset | None = inputs.data
    assert data is not None
    size = len(data.train)
    n = min(_count(inputs), size)
    return data.train.gather(torch.arange(n) * size // n, inputs.images.device)


_PARTS = ("n_samples",)
KEYS = {
    "pixel_shift": MetricKey(
        "pixel shift", None, "mean pixel of the samples less that of real images, in their sd", "sd", _PARTS
    ),
    "pixel_scale": MetricKey(
        "pixel scale", None, "sd of the samples' pixels over that of real images; these have 1", "", _PARTS
    ),
    "out_of_range": MetricKey("out of range", "min", "share of the samples' pixels below 0 or above 1", "0..1", _PARTS),
}
SPREAD = {
    "class_spread": MetricKey(
        "spread in a class", None, "sd of a pixel over the samples of a label, over that of real images", "", _PARTS
    )
}

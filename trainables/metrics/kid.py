"""Kernel inception distance: the squared maximum mean discrepancy of features, Binkowski et al. 2018, arXiv:1801.01401.

Cubic kernel (x.y / F + 1)^3, unbiased estimator (their section 3), so that a perfect generator scores about 0 and
sometimes less. Ours differs in the features: each is standardised by the real images' mean and deviation, since on the
raw features of a small classifier the cube leaves only noise. The estimate uses all images at once; the standard error
is over BLOCKS of them.
"""

from __future__ import annotations

from trainables.lazy_import import Tensor, torch
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.types import NEIGHBOURS, MetricKey

BLOCKS = 10
UNIT = 1e-3
ROWS = 500


def kid(inputs: EvalInputs) -> dict[str, float]:
    """Return `kid`, of the first samples against as many real images, in thousandths, with its standard error."""
    evaluator = inputs.evaluator
    n = min(evaluator.n_neighbours, len(inputs.features))
    features = inputs.features[:n]
    real = torch.tensor(evaluator.real.features[:n]).to(features.device)
    mean = torch.tensor(evaluator.mean).to(real)
    sd = torch.tensor(evaluator.cov).diagonal().sqrt().to(real)
    sd = torch.where(sd > 0, sd, 1)  # a feature that is constant over the real images
    x, y = (features - mean) / sd, (real - mean) / sd
    value = mmd2(x, y) / UNIT
    if n < 2 * BLOCKS:
        return {"kid": value}
    parts = torch.tensor([mmd2(*pair) for pair in zip(x.chunk(BLOCKS), y.chunk(BLOCKS), strict=True)])
    return {"kid": value, "kid_se": float(parts.std()) / len(parts) ** 0.5 / UNIT}


def mmd2(x: Tensor, y: Tensor) -> float:
    """Return the unbiased MMD^2 under the cubic kernel of x [N,F] and y [N,F], N >= 2."""
    n = len(x)
    within = sum((_total(side, side) - float(_cube(side.square().sum(1), side).sum())) for side in (x, y))
    return within / (n * (n - 1)) - 2 * _total(x, y) / n**2


def _total(x: Tensor, y: Tensor) -> float:
    return sum(float(_cube(rows @ y.T, x).sum(1).double().sum()) for rows in torch.split(x, ROWS))


def _cube(product: Tensor, like: Tensor) -> Tensor:
    base = product.div_(like.shape[1]).add_(1)
    return (base * base).mul_(base)


KEYS = {
    "kid": MetricKey(
        "KID", "min", "squared distance of samples and real images under a cubic kernel", "1e-3", NEIGHBOURS
    )
}

"""Frechet distance between the Gaussians fitted to two sets of features: Heusel et al. 2017, arXiv:1706.08500, eq. 6.

|mu1 - mu2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^1/2). Ours differs in the features (the pinned extractor of the data
set, not Inception) and in the matrix root. The trace of the root is the sum of the roots of the eigenvalues of A S2 A^T
with S1 = A^T A. That matrix is symmetric, so singular covariances (a dead feature, a collapsed generator) stay finite
and real. All in float64.
"""

from __future__ import annotations

from typing import NamedTuple

from trainables.lazy_import import Tensor, torch
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.types import MOMENTS, MetricKey


class Moments(NamedTuple):
    """Mean and unbiased covariance of a set of features, float64 on the CPU."""

    mean: Tensor  # [F]
    cov: Tensor  # [F,F]


def moments(features: Tensor) -> Moments:
    """Return the moments of features [N,F], N >= 2."""
    wide = features.detach().double().cpu()
    mean = wide.mean(0)
    centred = wide - mean
    return Moments(mean, centred.T @ centred / (len(wide) - 1))


def frechet(a: Moments, b: Moments) -> float:
    """Return the Frechet distance, >= 0 and symmetric up to rounding; nan if a moment is not finite."""
    if not all(bool(part.isfinite().all()) for part in (*a, *b)):
        return float("nan")
    values, vectors = torch.linalg.eigh(a.cov)
    root = values.clamp_min(0).sqrt()[:, None] * vectors.T  # A of S1 = A^T A
    trace_root = torch.linalg.eigvalsh(root @ b.cov @ root.T).clamp_min(0).sqrt().sum()
    distance = (a.mean - b.mean).square().sum() + a.cov.trace() + b.cov.trace() - 2 * trace_root
    return max(0.0, float(distance))


def fid(inputs: EvalInputs) -> dict[str, float]:
    """Return `fid`, of the samples against the evaluator's reference."""
    return {"fid": _to_reference(inputs, inputs.features)}


def fid_raw(inputs: EvalInputs) -> dict[str, float]:
    """Return `fid_raw`, of samples of the weights that are trained, where `fid` is of their average."""
    assert inputs.raw is not None
    return {"fid_raw": _to_reference(inputs, inputs.raw())}


def _to_reference(inputs: EvalInputs, features: Tensor) -> float:
    reference = Moments(torch.tensor(inputs.evaluator.mean), torch.tensor(inputs.evaluator.cov))
    return frechet(moments(features), reference)


KEYS = {
    "fid": MetricKey(
        "FID", "min", "distance between Gaussians fitted to the features of samples and of real images", "", MOMENTS
    )
}
RAW = {"fid_raw": MetricKey("FID, not averaged", "min", "FID of the weights that `ema` averages", "", MOMENTS)}

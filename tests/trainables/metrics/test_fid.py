"""FID against hand formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainables.metrics.fid import Moments, frechet, moments


def test_frechet__diagonal_covariances() -> None:
    a = Moments(torch.tensor([0.0, 1.0]).double(), torch.diag(torch.tensor([4.0, 9.0])).double())
    b = Moments(torch.tensor([3.0, 1.0]).double(), torch.diag(torch.tensor([1.0, 16.0])).double())
    # |mu|^2 = 9; the rest is (2 - 1)^2 + (3 - 4)^2 = 2.
    assert frechet(a, b) == pytest.approx(11.0, abs=1e-12)


def test_frechet__full_covariances() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(2, 50, 5, generator=generator).double()
    x, y = draws @ torch.randn(2, 5, 5, generator=generator).double()
    a, b = moments(x), moments(y)
    # tr((S1 S2)^1/2) from the eigenvalues of the product itself, which is not symmetric.
    trace_root = torch.linalg.eigvals(a.cov @ b.cov).sqrt().sum().real
    by_hand = (a.mean - b.mean).square().sum() + a.cov.trace() + b.cov.trace() - 2 * trace_root
    assert frechet(a, b) == pytest.approx(float(by_hand), rel=1e-10)
    assert frechet(b, a) == pytest.approx(frechet(a, b), rel=1e-10)
    assert frechet(a, a) == pytest.approx(0, abs=1e-6)


def test_moments__equal_numpy() -> None:
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(1))
    np.testing.assert_allclose(moments(x).cov, np.cov(x.double().numpy(), rowvar=False), rtol=1e-12)
    np.testing.assert_allclose(moments(x).mean, x.double().numpy().mean(0), rtol=1e-12)


def test_frechet__singular_covariances() -> None:
    collapsed = moments(torch.ones(10, 64))
    spread = moments(torch.eye(64))  # rank 63
    # A point against a Gaussian: |mu|^2 + tr(S).
    hand = float((collapsed.mean - spread.mean).square().sum() + spread.cov.trace())
    assert frechet(collapsed, spread) == pytest.approx(hand, rel=1e-9)
    assert frechet(collapsed, collapsed) == 0.0

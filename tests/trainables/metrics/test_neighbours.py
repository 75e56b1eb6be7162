"""Nearest neighbours: distances against differences, the four shares against prdc, and copies that are found."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import pytest
import torch
from helpers.scoring import score
from prdc import compute_prdc
from torch import Tensor

from trainables.data import load
from trainables.metrics import Evaluator, Extractor
from trainables.metrics.distances import chunks, closest, nearest
from trainables.metrics.extract import split_images
from trainables.metrics.neighbours import K, balls, neighbours
from trainables.metrics.train_extractor import one_thread


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_distances__chunks() -> None:
    a, b = draws(1203, 7), draws(40, 7, seed=1)
    found = torch.cat([d for _, d in chunks(a, b)])
    torch.testing.assert_close(found, (a[:, None] - b).square().sum(2), rtol=1e-4, atol=1e-4)


def test_distances__precise_far_from_origin() -> None:
    # The product alone has no digit left here: |a|^2 is 1e6, the distances 1e-3.
    a = 1000 + 1e-3 * torch.arange(10.0)[:, None].double()
    found = nearest(a.float(), a.float(), 2, same=True)
    torch.testing.assert_close(found.distance[1:-1, 0], torch.full((8,), 1e-3), rtol=0.1, atol=0)


def test_distances__copies_are_zero() -> None:
    a = 50 * draws(30, 64).relu().repeat(3, 1)
    found = nearest(a, a, 2, same=True)
    assert not found.distance.any()
    assert torch.equal(found.which.sort(1).values % 30, torch.arange(30).repeat(3)[:, None].expand(-1, 2))


def test_distances__closest() -> None:
    a, b = 1000 + draws(1203, 7), 1000 + draws(2100, 7, seed=1)
    torch.testing.assert_close(closest(a, b), nearest(a, b, 1).distance[:, 0])
    torch.testing.assert_close(closest(a, b), torch.cdist(a.double(), b.double()).amin(1).float())


@pytest.mark.parametrize("shift", [0.0, 0.3, 3.0])
def test_neighbours__equal_prdc(shift: float) -> None:
    n = 800
    real, fake = draws(n, 6), draws(n, 6, seed=1) * 0.8 + shift
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = compute_prdc(real.double().numpy(), fake.double().numpy(), K)
    found = neighbours(fake, real, balls(real))
    ours = {"density": found.balls.double().mean() / K, "precision": (found.balls > 0).double().mean()}
    ours |= {"recall": found.recalled.double().mean(), "coverage": found.covered.double().mean()}
    assert {key: float(value) for key, value in ours.items()} == pytest.approx(theirs, abs=2 / n)


def test_neighbours__copies_seen_by_recall_not_fid(evaluator: Evaluator, extractor: Extractor) -> None:
    images = torch.cat(list(split_images(load("digits").test.to("cpu"))))  # 360
    fresh, copied = (score(evaluator, extractor, iter([x])) for x in (images, images[:36].repeat(10, 1, 1, 1)))
    assert fresh["recall"] > 0.8  # type: ignore[operator]
    assert fresh["duplicates"] < 0.1  # type: ignore[operator]
    assert copied["recall"] == 0  # a ball without extent holds nothing
    assert copied["duplicates"] == 1

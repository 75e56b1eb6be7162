"""The evaluator: FID against hand formulas, class counts against hand numbers, scores of real digits and of noise."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from helpers.scoring import score
from torch import Tensor

from trainables.data import load
from trainables.data.dataset import Split
from trainables.metrics import (
    METRICS,
    EvalInputs,
    Evaluator,
    Extractor,
    MetricKey,
    build_evaluator,
    load_extractor,
)
from trainables.metrics.classes import classes, effective
from trainables.metrics.extract import run_extractor, split_images
from trainables.metrics.fid import Moments, frechet, moments
from trainables.metrics.train_extractor import one_thread

BROKEN = (math.nan, math.inf, -math.inf)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


def endless(split: Split) -> Iterator[Tensor]:
    """The split's images over and over."""
    while True:
        yield from split_images(split.to("cpu"))


def of_samples() -> dict[str, MetricKey]:
    """The keys that samples alone suffice for, without being asked for."""
    due = [metric for metric in METRICS.values() if metric.needs == ("features",) and metric.when != "asked"]
    return {name: key for metric in due for name, key in metric.keys.items()}


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return build_evaluator(load("digits"), seed=0)


@pytest.fixture(scope="module")
def extractor(evaluator: Evaluator) -> Extractor:
    return load_extractor(evaluator, "cpu")


# FID


def test_frechet_of_diagonal_gaussians_is_the_hand_formula() -> None:
    a = Moments(torch.tensor([0.0, 1.0]).double(), torch.diag(torch.tensor([4.0, 9.0])).double())
    b = Moments(torch.tensor([3.0, 1.0]).double(), torch.diag(torch.tensor([1.0, 16.0])).double())
    # |mu|^2 = 9; the rest is (2 - 1)^2 + (3 - 4)^2 = 2.
    assert frechet(a, b) == pytest.approx(11.0, abs=1e-12)


def test_frechet_of_full_covariances_is_the_root_of_the_product() -> None:
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


def test_moments_are_numpys() -> None:
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(1))
    np.testing.assert_allclose(moments(x).cov, np.cov(x.double().numpy(), rowvar=False), rtol=1e-12)
    np.testing.assert_allclose(moments(x).mean, x.double().numpy().mean(0), rtol=1e-12)


def test_frechet_survives_singular_covariances() -> None:
    collapsed = moments(torch.ones(10, 64))
    spread = moments(torch.eye(64))  # rank 63
    # A point against a Gaussian: |mu|^2 + tr(S).
    hand = float((collapsed.mean - spread.mean).square().sum() + spread.cov.trace())
    assert frechet(collapsed, spread) == pytest.approx(hand, rel=1e-9)
    assert frechet(collapsed, collapsed) == 0.0


# The class histogram


def test_shares_and_effective_modes_by_hand(evaluator: Evaluator) -> None:
    named = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    logits = torch.nn.functional.one_hot(named, 10).float()
    found = classes(EvalInputs(evaluator, torch.zeros(8, 1, 8, 8), torch.zeros(8, 64), logits))
    assert found["class_shares"] == [0.25] * 4 + [0.0] * 6
    assert found["modes"] == pytest.approx(4.0)
    assert effective(torch.tensor([1.0, 0.0])) == 1.0
    # H = 3/4 ln 4/3 + 1/4 ln 4
    assert effective(torch.tensor([0.75, 0.25])) == pytest.approx(math.exp(0.75 * math.log(4 / 3) + 0.25 * math.log(4)))


# Scoring


def test_score_runs_every_metric_once_and_repeats_itself(evaluator: Evaluator, extractor: Extractor) -> None:
    data = load("digits")
    found = score(evaluator, extractor, endless(data.test))
    assert {key.removesuffix("_se") for key in found} == set(of_samples())
    assert json.loads(json.dumps(found)) == found
    assert score(evaluator, extractor, endless(data.test)) == found


def test_real_digits_score_far_below_noise(evaluator: Evaluator, extractor: Extractor) -> None:
    generator = torch.Generator().manual_seed(0)
    real = score(evaluator, extractor, endless(load("digits").test))
    noise = score(evaluator, extractor, (torch.rand(500, 1, 8, 8, generator=generator) for _ in range(10)))
    assert isinstance(real["fid"], float)
    assert isinstance(noise["fid"], float)
    assert isinstance(real["modes"], float)
    assert real["fid"] * 20 < noise["fid"]
    assert real["modes"] > 9.9


def test_a_class_left_out_raises_the_fid(evaluator: Evaluator, extractor: Extractor) -> None:
    test = load("digits").test
    kept = np.asarray(test.labels) != 3
    some = Split(np.asarray(test.pixels)[kept], np.asarray(test.labels)[kept])
    all_ten, nine = (score(evaluator, extractor, endless(split)) for split in (test, some))
    assert nine["fid"] > all_ten["fid"]  # type: ignore[operator]
    assert nine["modes"] == pytest.approx(9, abs=0.3)  # 2 % errors leak into the tenth


def test_too_few_images_are_refused(evaluator: Evaluator, extractor: Extractor) -> None:
    with pytest.raises(ValueError, match="yielded 360 images where the evaluator scores 5000"):
        score(evaluator, extractor, split_images(load("digits").test.to("cpu")))


@pytest.mark.parametrize("value", BROKEN)
def test_one_broken_image_makes_every_score_nan(evaluator: Evaluator, extractor: Extractor, value: float) -> None:
    images = torch.rand(5000, 1, 8, 8)
    images[1234, 0, 3, 3] = value
    found = score(evaluator, extractor, iter(torch.split(images, 999)))
    assert set(found) == {name for name, key in of_samples().items() if not key.many}
    assert all(math.isnan(number) for number in found.values())  # type: ignore[arg-type]


def test_autocast_around_the_scoring_changes_nothing(evaluator: Evaluator, extractor: Extractor) -> None:
    images = endless(load("digits").test)
    plain = run_extractor(extractor, images, 360)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(run_extractor(extractor, images, 360).features, plain.features)


# The evaluator


def test_evaluator_of_digits(evaluator: Evaluator) -> None:
    data = load("digits")
    assert (evaluator.reference, evaluator.n_reference) == ("train+val", len(data.train) + len(data.val))
    plan = {
        "n_samples": 5000,
        "n_reference": 1437,
        "reference": "train+val",
        "n_neighbours": 1437,
        "k": 5,
        "n_train": 1257,
    }
    assert evaluator.stamp == {"extractor": evaluator.extractor_id, **plan}
    counts = np.bincount(np.asarray(data.train.labels))
    np.testing.assert_allclose(evaluator.class_prior, counts / counts.sum())
    assert evaluator.mean.shape == (64,)
    assert evaluator.cov.shape == (64, 64)


def test_an_evaluator_of_read_only_arrays_loads(evaluator: Evaluator) -> None:
    frozen = {name: array.copy() for name, array in evaluator.weights.items()}
    for array in frozen.values():
        array.flags.writeable = False
    assert not load_extractor(evaluator._replace(weights=frozen), "cpu").training

"""The evaluator: scores of real digits, of noise, and of images that are not finite."""

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
    Evaluator,
    Extractor,
    MetricKey,
    build_evaluator,
    load_extractor,
)
from trainables.metrics.extract import run_extractor, split_images
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
    due = [
        metric
        for metric in METRICS.values()
        if set(metric.needs) <= {"features", "classes"} and metric.when != "on_request"
    ]
    return {name: key for metric in due for name, key in metric.keys.items()}


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return build_evaluator(load("digits"), seed=0)


@pytest.fixture(scope="module")
def extractor(evaluator: Evaluator) -> Extractor:
    return load_extractor(evaluator, "cpu")


# Scoring


@pytest.mark.long
def test_score__every_metric_once(evaluator: Evaluator, extractor: Extractor) -> None:
    data = load("digits")
    found = score(evaluator, extractor, endless(data.test))
    assert {key.removesuffix("_se") for key in found} == set(of_samples())
    assert json.loads(json.dumps(found)) == found
    assert score(evaluator, extractor, endless(data.test)) == found


@pytest.mark.long
def test_score__digits_far_below_noise(evaluator: Evaluator, extractor: Extractor) -> None:
    generator = torch.Generator().manual_seed(0)
    real = score(evaluator, extractor, endless(load("digits").test))
    noise = score(evaluator, extractor, (torch.rand(500, 1, 8, 8, generator=generator) for _ in range(10)))
    assert isinstance(real["fid"], float)
    assert isinstance(noise["fid"], float)
    assert isinstance(real["modes"], float)
    assert real["fid"] * 20 < noise["fid"]
    assert real["modes"] > 9.9


@pytest.mark.long
def test_score__missing_class_raises_fid(evaluator: Evaluator, extractor: Extractor) -> None:
    test = load("digits").test
    kept = np.asarray(test.labels) != 3
    some = Split(np.asarray(test.pixels)[kept], np.asarray(test.labels)[kept])
    all_ten, nine = (score(evaluator, extractor, endless(split)) for split in (test, some))
    assert nine["fid"] > all_ten["fid"]  # type: ignore[operator]
    assert nine["modes"] == pytest.approx(9, abs=0.3)  # 2 % errors leak into the tenth


def test_score__too_few_images(evaluator: Evaluator, extractor: Extractor) -> None:
    with pytest.raises(ValueError, match="yielded 360 images, but the evaluator scores 5000"):
        score(evaluator, extractor, split_images(load("digits").test.to("cpu")))


@pytest.mark.parametrize("value", BROKEN)
def test_score__one_broken_image_is_nan(evaluator: Evaluator, extractor: Extractor, value: float) -> None:
    images = torch.rand(5000, 1, 8, 8)
    images[1234, 0, 3, 3] = value
    found = score(evaluator, extractor, iter(torch.split(images, 999)))
    assert set(found) == {name for name, key in of_samples().items() if not key.many}
    assert all(math.isnan(number) for number in found.values())  # type: ignore[arg-type]


def test_score__unchanged_by_autocast(evaluator: Evaluator, extractor: Extractor) -> None:
    images = endless(load("digits").test)
    plain = run_extractor(extractor, images, 360)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(run_extractor(extractor, images, 360).features, plain.features)


# The evaluator


def test_evaluator__digits(evaluator: Evaluator) -> None:
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


def test_evaluator__read_only_arrays(evaluator: Evaluator) -> None:
    frozen = {name: array.copy() for name, array in evaluator.weights.items()}
    for array in frozen.values():
        array.flags.writeable = False
    assert not load_extractor(evaluator._replace(weights=frozen), "cpu").training

"""Pixels of samples against those of real images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.trials import digits

from trainables.metrics import EvalInputs, pixels


def real_inputs(n: int = 320) -> EvalInputs:
    """The training images of the embedded digits in the place of samples."""
    data = digits()
    assert data.evaluator is not None
    x, y = data.images.train.gather(torch.arange(n), torch.device("cpu"))
    return EvalInputs(data.evaluator, x, x.flatten(1), x.flatten(1)[:, :10], labels=y, data=data.images)


def test_pixels__real_images() -> None:
    inputs = real_inputs()
    assert pixels.pixels(inputs) == pytest.approx({"out_of_range": 0, "pixel_shift": 0, "pixel_scale": 1}, abs=1e-6)
    assert pixels.class_spread(inputs)["class_spread"] == pytest.approx(1, abs=1e-6)


def test_pixels__damaged_images() -> None:
    inputs = real_inputs()
    x = inputs.images
    assert pixels.pixels(replace(inputs, images=x / 2))["pixel_scale"] == pytest.approx(0.5, abs=1e-5)
    shift = pixels.pixels(replace(inputs, images=x + 0.1))["pixel_shift"]
    assert shift == pytest.approx(0.1 / float(x.std()), rel=1e-4)
    outside = torch.where(x > 0.5, 1.5, -0.1)
    assert pixels.pixels(replace(inputs, images=outside))["out_of_range"] == 1
    mean = torch.stack([x[inputs.labels == label].mean(0) for label in range(10)])
    assert inputs.labels is not None
    same = replace(inputs, images=mean[inputs.labels])
    assert pixels.class_spread(same)["class_spread"] == pytest.approx(0, abs=1e-3)


def test_pixels__within_is_the_pooled_variance() -> None:
    inputs = real_inputs(200)
    assert inputs.labels is not None
    x, y = inputs.images.double().flatten(1).numpy(), inputs.labels.numpy()
    squares = sum(((x[y == label] - x[y == label].mean(0)) ** 2).sum() for label in np.unique(y))
    expected = (squares / (200 - 10) / x.shape[1]) ** 0.5
    assert pixels.within(inputs.images, inputs.labels) == pytest.approx(expected, rel=1e-5)


def test_pixels__left_out_if_they_do_not_apply() -> None:
    inputs = real_inputs()
    assert pixels.within(inputs.images[:5], torch.arange(5)) is None  # a class has a single image
    flat = inputs.data._replace(train=replace(inputs.data.train, pixels=0 * inputs.data.train.pixels))  # type: ignore[union-attr]
    assert pixels.pixels(replace(inputs, data=flat)) == {"out_of_range": 0}
    assert pixels.class_spread(replace(inputs, data=flat)) == {}

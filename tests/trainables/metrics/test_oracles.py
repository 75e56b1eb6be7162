"""The scores against torchmetrics with the same extractor, and hand numbers where it has none."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from trainables.data import load
from trainables.metrics import EvalInputs, Evaluator, Extractor, Scores, measure
from trainables.metrics.classes import divergence
from trainables.metrics.conditional import conditional
from trainables.metrics.extract import split_images
from trainables.metrics.kid import UNIT
from trainables.metrics.sharpness import edge_energy

pytestmark = pytest.mark.usefixtures("on_one_thread")


@pytest.fixture(scope="module")
def noisy() -> Tensor:
    """The 360 test digits with a little noise."""
    images = torch.cat(list(split_images(load("digits").test.to("cpu"))))
    return (images + 0.05 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


@pytest.fixture(scope="module")
def inputs(evaluator: Evaluator, extractor: Extractor, noisy: Tensor) -> EvalInputs:
    features, logits = extractor(noisy)
    return EvalInputs(evaluator, noisy, features, logits)


class Features(nn.Module):
    """What torchmetrics wants of an extractor."""

    def __init__(self, extractor: Extractor, n: int) -> None:
        super().__init__()
        self.extractor, self.num_features = extractor, n

    def forward(self, x: Tensor) -> Tensor:
        found: Scores = self.extractor(x)
        return found.features


def test_fid__equals_torchmetrics(inputs: EvalInputs, extractor: Extractor, noisy: Tensor) -> None:
    data = load("digits").to("cpu")
    theirs = FrechetInceptionDistance(Features(extractor, 64), normalize=True)
    for split in (data.train, data.val):
        for x in split_images(split):
            theirs.update(x, real=True)
    theirs.update(noisy, real=False)
    assert measure(inputs)["fid"] == pytest.approx(float(theirs.compute()), rel=1e-4)


def test_kid__equals_torchmetrics(inputs: EvalInputs) -> None:
    evaluator, n = inputs.evaluator, 360
    sd = np.sqrt(np.diag(evaluator.cov))
    standard = [torch.tensor((f - evaluator.mean) / sd) for f in (evaluator.real.features[:n], inputs.features.numpy())]
    identity = nn.Identity()
    identity.num_features = 64  # type: ignore[assignment]
    with pytest.warns(UserWarning, match="all extracted features"):
        theirs = KernelInceptionDistance(identity, subsets=1, subset_size=n, normalize=True)
    theirs.update(standard[0], real=True)
    theirs.update(standard[1], real=False)
    assert measure(inputs)["kid"] == pytest.approx(float(theirs.compute()[0]) / UNIT, rel=1e-4)


@pytest.mark.filterwarnings("ignore:std")  # of its one split
def test_inception_score__equals_torchmetrics(inputs: EvalInputs) -> None:
    with pytest.warns(UserWarning, match="all extracted features"):
        theirs = InceptionScore(nn.Identity(), splits=1)
    theirs.update(inputs.logits)
    assert measure(inputs)["is"] == pytest.approx(float(theirs.compute()[0]), rel=1e-5)


def test_divergence__by_hand() -> None:
    shares, prior = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.25, 0.25, 0.5])
    assert divergence(shares, prior) == pytest.approx(math.log(2))
    assert divergence(prior, prior) == 0


def test_modes__count_needs_a_percent(inputs: EvalInputs) -> None:
    named = torch.tensor([0] * 500 + [1] * 496 + [2] * 4)
    logits = nn.functional.one_hot(named, 10).float()
    many = EvalInputs(inputs.evaluator, torch.rand(1000, 1, 8, 8), torch.rand(1000, 64), logits)
    found = measure(many)
    assert found["modes_1pct"] == 2
    # Softmax of a one-hot: e / (e + 9).
    assert found["mean_prob"] == pytest.approx(math.e / (math.e + 9))


def test_edge_energy__by_hand() -> None:
    stripes = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])[None, None]
    assert edge_energy(stripes).tolist() == [1.0]  # every step across is 1, none down
    assert edge_energy(torch.full((1, 3, 4, 4), 0.3)).tolist() == [0.0]


def test_confusion__by_hand(inputs: EvalInputs) -> None:
    asked, read = torch.tensor([0, 0, 0, 0, 1, 1]), torch.tensor([0, 0, 0, 2, 1, 1])
    logits = nn.functional.one_hot(read, 10).float()
    found = conditional(EvalInputs(inputs.evaluator, torch.rand(6, 1, 8, 8), torch.rand(6, 64), logits, asked))
    assert found["accuracy"] == pytest.approx(5 / 6)
    assert found["accuracy_se"] == pytest.approx(math.sqrt(5 / 36 / 6))
    assert found["class_accuracy"][:3] == [0.75, 1.0, 0.0]  # type: ignore[index]
    assert found["confusion"][0][:3] == [0.75, 0.0, 0.25]  # type: ignore[index]
    assert "accuracy" not in measure(inputs)  # nothing was asked for


def test_birthday__uniform_draws(evaluator: Evaluator, extractor: Extractor) -> None:
    images = torch.cat(list(split_images(load("digits").test.to("cpu"))))[:60].repeat(24, 1, 1, 1)
    features, logits = extractor(images)
    found = measure(EvalInputs(evaluator._replace(n_samples=1440), images, features, logits))
    assert found["support"] == pytest.approx(60, rel=0.1)
    assert found["copies"] == found["duplicates"] == 1
    pairs = found["closest"]
    assert isinstance(pairs, list)
    assert len(pairs) == 12
    assert all(i % 60 == j % 60 and distance == 0 for i, j, distance in pairs)  # type: ignore[misc]

"""What models say of real images: SSIM against torchmetrics, likelihoods against known ones, codes, real trials."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image import StructuralSimilarityIndexMeasure

from trainables import MODELS
from trainables.data import load
from trainables.engine.interface import Batch
from trainables.metrics import EvalInputs, Evaluator, Extractor, measure
from trainables.metrics.extract import split_images
from trainables.metrics.likelihood import importance_nll
from trainables.metrics.probe import logistic
from trainables.metrics.reconstruction import EXACT, reconstruction, ssim

pytestmark = pytest.mark.usefixtures("on_one_thread")


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


# Reconstruction


def test_ssim__equals_torchmetrics() -> None:
    a = random(6, 3, 28, 20)
    b = (a + 0.3 * random(6, 3, 28, 20, seed=1)).clamp(0, 1)
    _, theirs = StructuralSimilarityIndexMeasure(data_range=1.0, reduction="none", return_full_image=True)(a, b)
    inner = theirs[:, :, 5:-5, 5:-5].flatten(1).mean(1)  # theirs reflects the image outwards, the paper does not
    torch.testing.assert_close(ssim(a, b), inner, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ssim(a, a), torch.ones(6))


def test_reconstruction__by_hand() -> None:
    x = torch.zeros(2, 1, 8, 8)
    output = x.clone()
    output[1] += 0.1
    found = reconstruction(output, x)
    assert found["recon_mse"].tolist() == pytest.approx([0, 0.01])
    assert found["psnr"].tolist() == pytest.approx([-10 * math.log10(EXACT), 20], rel=1e-5)


# Likelihood


def log_prob(law: torch.distributions.Distribution, x: Tensor) -> Tensor:
    value: Tensor = law.log_prob(x)
    return value


def linear_gaussian(n: int) -> tuple[Tensor, Tensor]:
    """log p(x) of n draws from x = W z + N(0, s^2 I), z ~ N(0, I); and log w [200,n] of codes from a proposal that is
    centred at the posterior but wider."""
    g = torch.Generator().manual_seed(0)
    w, s = torch.randn(5, 2, generator=g).double(), 0.7
    x = torch.randn(n, 2, generator=g).double() @ w.T + s * torch.randn(n, 5, generator=g)
    marginal = torch.distributions.MultivariateNormal(torch.zeros(5).double(), w @ w.T + s**2 * torch.eye(5))
    posterior = torch.linalg.inv(torch.eye(2) + w.T @ w / s**2)
    proposal = torch.distributions.MultivariateNormal(x @ w @ posterior / s**2, 1.3 * posterior)
    normal = torch.distributions.Normal(0.0, 1.0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        z = proposal.sample((2000,))  # [S,n,2]
    likelihood = log_prob(torch.distributions.Normal(z @ w.T, s), x).sum(-1)
    return log_prob(marginal, x), likelihood + log_prob(normal, z).sum(-1) - log_prob(proposal, z)


@pytest.mark.long
def test_importance_nll__known_likelihood() -> None:
    log_p, log_w = linear_gaussian(300)
    assert float(importance_nll(log_w).mean()) == pytest.approx(-float(log_p.mean()), abs=1e-2)
    assert float(-log_w.mean()) > -float(log_p.mean()) + 0.02  # the bound of one code is not it


@pytest.mark.long
def test_importance_nll__vae() -> None:
    """One latent number, so that p(x) is an integral that a fine grid does."""
    torch.manual_seed(0)
    nets = {"encoder": nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), "decoder": nn.Linear(1, 4)}
    config: dict[str, Any] = {"likelihood": "bernoulli"}
    weigh = MODELS["vae"].log_weight
    assert weigh is not None
    assert weigh({"likelihood": "gaussian"}) is None
    weight = weigh(config)
    assert weight is not None
    x = (random(20, 4) < 0.5).float()
    grid = torch.linspace(-8, 8, 4001).double()
    with torch.no_grad():
        of = weight(nets, Batch(x, x[:, 0].long()))
        log_w = torch.stack([of(torch.randn(20, 1)) for _ in range(4000)])
        logits = nets["decoder"](grid.float()[:, None]).double()  # [G,4]
        log_joint = log_prob(torch.distributions.Bernoulli(logits=logits[:, None]), x.double()).sum(-1)
    log_p = (log_joint + log_prob(torch.distributions.Normal(0.0, 1.0), grid)[:, None]).logsumexp(0)
    exact = -(log_p + math.log(16 / 4000))
    assert float(importance_nll(log_w.double()).mean()) == pytest.approx(float(exact.mean()), abs=1e-2)


# Codes


def test_probe__linear_only(evaluator: Evaluator) -> None:
    data = load("digits").to("cpu")
    pixels = measure(EvalInputs(evaluator, data=data, encode=lambda x: x.flatten(1)))
    sums = measure(EvalInputs(evaluator, data=data, encode=lambda x: x.flatten(1).sum(1, keepdim=True)))
    assert 0.9 < pixels["probe_accuracy"] < 1  # type: ignore[operator]
    assert sums["probe_accuracy"] < 0.3  # type: ignore[operator]


def test_probe__logistic_equals_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    x = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
    y = (x @ random(4, 3, seed=1)).argmax(1)
    # Its penalty is |w|^2 / (2 C) on a sum over images, and spares the intercept, which matters little here.
    theirs = LogisticRegression(C=1 / (2 * 300 * 1e-4), max_iter=1000).fit(x, y).predict_proba(x)
    ours = (torch.nn.functional.pad(x, (0, 1), value=1.0) @ logistic(x, y, 3)).softmax(1)
    np.testing.assert_allclose(ours, theirs, atol=0.02)


# Memorisation, and a classifier trained on samples


def test_memorisation__training_images_only(evaluator: Evaluator, extractor: Extractor) -> None:
    data = load("digits").to("cpu")
    found = {}
    for name, split in {"train": data.train, "test": data.test}.items():
        x = torch.cat(list(split_images(split)))[:360]
        found[name] = measure(EvalInputs(evaluator, x, *extractor(x)))
    assert found["train"]["memorised"] == 1
    assert found["train"]["train_distance"] == 0
    assert found["test"]["memorised"] < 0.06  # type: ignore[operator]
    assert found["test"]["train_distance"] == pytest.approx(1, abs=0.15)


@pytest.mark.long
def test_classification_accuracy__on_request_only(evaluator: Evaluator, extractor: Extractor) -> None:
    data = load("digits").to("cpu")
    x, y = data.train.gather(torch.arange(360), "cpu")
    features, logits = extractor(x)

    def draw(n: int) -> Iterator[tuple[Tensor, Tensor]]:
        yield x, y

    shown = EvalInputs(evaluator, x, features, logits, y, extractor, draw, data)
    assert "cas" not in measure(shown)
    found = measure(shown, also=("cas",))["cas"]
    assert found > 0.5  # type: ignore[operator]

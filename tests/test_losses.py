"""One oracle for each formula: hand numbers, or the closed form from torch.distributions."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from trainables import MODELS, dae, vae
from trainables.engine import streams
from trainables.engine.model import Batch
from trainables.engine.streams import Draw
from trainables.schemes import SCHEMES

REAL, FAKE = torch.tensor([0.0, math.log(3)]), torch.tensor([0.0, -math.log(3)])  # D: 1/2, 3/4 and 1/2, 1/4
NONE = torch.tensor(0.0)


@pytest.mark.parametrize("name", list(SCHEMES))
def test_discriminator_losses_at_known_probabilities(name: str) -> None:
    # -(log 1/2 + log 3/4)/2 - (log(1 - 1/2) + log(1 - 1/4))/2
    expected = -(math.log(1 / 2) + math.log(3 / 4))
    torch.testing.assert_close(SCHEMES[name].d(REAL, FAKE, NONE), torch.tensor(expected))


def test_generator_losses_at_known_probabilities() -> None:
    non_saturating = -(math.log(1 / 2) + math.log(1 / 4)) / 2  # -E log D(G(z)), Goodfellow et al. 2014, section 3
    minimax = (math.log(1 / 2) + math.log(3 / 4)) / 2  # E log(1 - D(G(z))), equation 1
    torch.testing.assert_close(SCHEMES["non_saturating"].g(FAKE), torch.tensor(non_saturating))
    torch.testing.assert_close(SCHEMES["minimax"].g(FAKE), torch.tensor(minimax))


def test_label_smoothing_is_one_sided() -> None:
    smoothed = SCHEMES["minimax"].d(REAL, FAKE, torch.tensor(0.1))
    on_real = -(math.log(1 / 2) + 0.9 * math.log(3 / 4) + 0.1 * math.log(1 / 4)) / 2
    on_fake = -(math.log(1 / 2) + math.log(3 / 4)) / 2
    torch.testing.assert_close(smoothed, torch.tensor(on_real + on_fake))


def test_kl_is_that_of_two_normals() -> None:
    mean, log_var = torch.randn(3, 5), torch.randn(3, 5)
    oracle = kl_divergence(Normal(mean, (0.5 * log_var).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(vae.kl(mean, log_var), oracle)


def test_likelihoods_are_those_of_the_distributions() -> None:
    logits, x, sigma = torch.randn(2, 1, 3, 3), torch.rand(2, 1, 3, 3), torch.tensor(0.3)
    binary = x.round()
    oracle = -Bernoulli(logits=logits).log_prob(binary).sum((1, 2, 3))  # type: ignore[no-untyped-call]
    torch.testing.assert_close(vae.bernoulli(logits, binary, {}), oracle)
    oracle = -Normal(torch.sigmoid(logits), sigma).log_prob(x).sum((1, 2, 3))  # type: ignore[no-untyped-call]
    torch.testing.assert_close(vae.gaussian(logits, x, {"sigma": sigma}), oracle)


def test_vae_loss_is_reconstruction_plus_weighted_kl() -> None:
    """An encoder that says N(1, e^0) and a decoder that says probability 1/2: 4 log 2 + beta / 2 nats."""
    nets = {
        "encoder": lambda x: torch.tensor([[1.0, 0.0]]).expand(len(x), 2),
        "decoder": lambda z: torch.zeros(len(z), 1, 2, 2),
    }
    config = {"likelihood": "bernoulli", "latent_dim": 1}
    (turn,) = vae.turns(config, (1, 2, 2))
    batch = Batch(torch.rand(3, 1, 2, 2), torch.zeros(3, dtype=torch.int64))
    loss, logs = turn.loss(nets, batch, {"eps": torch.randn(3, 1)}, {"beta": torch.tensor(4.0)})
    torch.testing.assert_close(loss, torch.tensor(4 * math.log(2) + 2.0))
    torch.testing.assert_close(logs["kl_nats"], torch.tensor(0.5))


def identity_nets(x: Tensor) -> dict[str, object]:
    return {"encoder": lambda x: x, "decoder": lambda z: torch.logit(z.clamp(1e-6, 1 - 1e-6))}


@pytest.mark.parametrize("name", ["ae", "dae"])
def test_perfect_reconstruction_scores_zero_or_the_noise(name: str) -> None:
    x = torch.full((4, 1, 8, 8), 0.5)
    measure, specs = MODELS[name].measure({}, (1, 8, 8))  # type: ignore[misc]
    noise = {key: streams.draw(spec, 4, "cpu", 0, key) * 0.01 for key, spec in specs.items()}
    value = measure(identity_nets(x), Batch(x, torch.zeros(4)), noise, {})["recon_mse"].mean()  # type: ignore[arg-type]
    variance = noise["x"].square().mean() if name == "dae" else torch.tensor(0.0)
    expected = variance * sum(level**2 for level in dae.LEVELS) / len(dae.LEVELS)
    torch.testing.assert_close(value, expected, rtol=1e-3, atol=1e-9)


def test_corruptions_do_what_they_say() -> None:
    x, sigma = torch.ones(1000, 1, 4, 4), torch.tensor(0.25)
    gaussian, kind = dae.CORRUPTIONS["gaussian"]
    assert kind == "normal"
    added = gaussian(x, streams.draw(Draw(kind, (1, 4, 4)), 1000, "cpu", 0), sigma) - x
    assert abs(float(added.std()) - 0.25) < 0.01
    masking, kind = dae.CORRUPTIONS["masking"]
    assert kind == "uniform"
    masked = masking(x, streams.draw(Draw(kind, (1, 4, 4)), 1000, "cpu", 0), sigma)
    assert set(masked.flatten().tolist()) == {0.0, 1.0}
    assert abs(float((masked == 0).float().mean()) - 0.25) < 0.02


def test_streams_are_functions_of_their_names_alone() -> None:
    spec = Draw("normal", (3,))
    first = streams.draw(spec, 5, "cpu", 1, "z", 7)
    torch.randn(10)
    assert torch.equal(first, streams.draw(spec, 5, "cpu", 1, "z", 7))
    others = [streams.draw(spec, 5, "cpu", *where) for where in ((2, "z", 7), (1, "y", 7), (1, "z", 8))]
    assert not any(torch.equal(first, other) for other in others)
    assert streams.derive(1, "a", "b") != streams.derive(1, "ab") != streams.derive(1, "a", 0)

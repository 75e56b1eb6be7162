"""One oracle for each formula: hand numbers, or the closed form from torch.distributions."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from trainables import MODELS, dae, random_streams, vae
from trainables.engine.interface import Batch
from trainables.errors import UserError
from trainables.random_streams import Draw
from trainables.schemes import SCHEMES

LOG3 = math.log(3)
REAL, FAKE = torch.tensor([0.0, LOG3]), torch.tensor([0.0, -LOG3])  # sigmoids: 1/2, 3/4 and 1/2, 1/4

# By hand: the discriminator's loss at no smoothing, at 0.1 (None: the loss has no target), and the generator's.
D = -(math.log(1 / 2) + math.log(3 / 4))  # -(log 1/2 + log 3/4)/2 - (log(1 - 1/2) + log(1 - 1/4))/2
SMOOTH_D = D - 0.1 * (math.log(1 / 4) - math.log(3 / 4)) / 2  # a tenth of log D(x) becomes log(1 - D(x))
LOSSES: dict[str, tuple[float, float | None, float]] = {
    "minimax": (D, SMOOTH_D, (math.log(1 / 2) + math.log(3 / 4)) / 2),  # E log(1 - D(G(z)))
    "non_saturating": (D, SMOOTH_D, -(math.log(1 / 2) + math.log(1 / 4)) / 2),  # -E log D(G(z))
    "least_squares": (
        (1 + (LOG3 - 1) ** 2 + LOG3**2) / 4,
        (0.9**2 + (LOG3 - 0.9) ** 2 + LOG3**2) / 4,
        (1 + (LOG3 + 1) ** 2) / 4,
    ),
    "hinge": ((1 + 0) / 2 + (1 + 0) / 2, None, LOG3 / 2),  # |log 3| is past the margin
    "wasserstein": (-LOG3, None, LOG3 / 2),
}


@pytest.mark.parametrize("name", list(SCHEMES))
def test_gan_losses__contract(name: str) -> None:
    """Losses are finite numbers that pull both nets; label smoothing changes a loss that has targets."""
    scheme, real, fake = SCHEMES[name], REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    losses = [scheme.d(real, fake, {"label_smoothing": torch.tensor(amount)}) for amount in (0.0, 0.1)]
    assert scheme.targets != torch.equal(*losses)
    for loss, logits in ((losses[0], real), (losses[0], fake), (scheme.g(fake), fake)):
        assert loss.shape == ()
        assert loss.isfinite()
        (slope,) = torch.autograd.grad(loss, logits, retain_graph=True)
        assert slope.isfinite().all()
        assert slope.any()


@pytest.mark.parametrize("name", LOSSES)
def test_gan_losses__by_hand(name: str) -> None:
    plain, smoothed, generator = LOSSES[name]
    scheme = SCHEMES[name]
    assert scheme.targets == (smoothed is not None)
    for smoothing, expected in ((0.0, plain), (0.1, plain if smoothed is None else smoothed)):
        hp = {"label_smoothing": torch.tensor(smoothing)} if scheme.targets else {}
        torch.testing.assert_close(scheme.d(REAL, FAKE, hp), torch.tensor(expected))
    torch.testing.assert_close(scheme.g(FAKE), torch.tensor(generator))


def test_gan_losses__d_is_a_probability() -> None:
    torch.testing.assert_close(SCHEMES["minimax"].view(REAL), torch.tensor([0.5, 0.75]))
    torch.testing.assert_close(SCHEMES["hinge"].view(REAL), REAL)


def test_kl__two_normals() -> None:
    mean, log_var = torch.randn(3, 5), torch.randn(3, 5)
    oracle = kl_divergence(Normal(mean, (0.5 * log_var).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(vae.kl(mean, log_var).sum(1), oracle)


def test_likelihoods__equal_distributions() -> None:
    logits, x, sigma = torch.randn(2, 1, 3, 3), torch.rand(2, 1, 3, 3), torch.tensor(0.3)
    binary = x.round()
    oracle = -Bernoulli(logits=logits).log_prob(binary).sum((1, 2, 3))  # type: ignore[no-untyped-call]
    torch.testing.assert_close(vae.bernoulli(logits, binary, {}), oracle)
    oracle = -Normal(torch.sigmoid(logits), sigma).log_prob(x).sum((1, 2, 3))  # type: ignore[no-untyped-call]
    torch.testing.assert_close(vae.gaussian(logits, x, {"sigma": sigma}), oracle)


def numbers(**values: float) -> dict[str, Tensor]:
    return {key: torch.tensor(value) for key, value in values.items()}


def test_vae_loss__reconstruction_plus_weighted_kl() -> None:
    """An encoder that says N(1, e^0) and a decoder that says probability 1/2: 4 log 2 + beta / 2 nats."""
    nets = {
        "encoder": lambda x: torch.tensor([[1.0, 0.0]]).expand(len(x), 2),
        "decoder": lambda z: torch.zeros(len(z), 1, 2, 2),
    }
    config = {"likelihood": "bernoulli", "latent_dim": 1}
    (turn,) = vae.turns(config, (1, 2, 2))
    batch = Batch(torch.rand(3, 1, 2, 2), torch.zeros(3, dtype=torch.int64))
    hp = {
        key: torch.tensor(value) for key, value in {"beta": 4.0, "warmup": 0.0, "free_bits": 0.0, "epoch": 0.1}.items()
    }
    loss, logs = turn.loss(nets, batch, {"eps": torch.randn(3, 1)}, hp)
    torch.testing.assert_close(loss, torch.tensor(4 * math.log(2) + 2.0))
    torch.testing.assert_close(logs["kl_nats"], torch.tensor(0.5))


def test_vae_loss__warmup_and_free_bits() -> None:
    """KLs of 0.5 and 0.1 nats in the mean of two images; a quarter of two epochs of warm-up; 0.2 nats free."""
    divergence = torch.tensor([[0.2, 0.1], [0.8, 0.1]])
    hp = {
        key: torch.tensor(value) for key, value in {"beta": 3.0, "warmup": 0.0, "free_bits": 0.0, "epoch": 0.5}.items()
    }
    assert float(vae.kl_loss(divergence, hp)) == pytest.approx(3 * 0.6)
    assert float(vae.kl_loss(divergence, hp | numbers(warmup=2.0))) == pytest.approx(3 * 0.6 / 4)
    assert float(vae.kl_loss(divergence, hp | numbers(free_bits=0.2))) == pytest.approx(3 * 0.7)
    assert float(vae.kl_loss(divergence, hp | numbers(warmup=0.25))) == pytest.approx(3 * 0.6)


def test_vae_loss__learned_sigma() -> None:
    """The best sigma of N(x; m, sigma^2) is the root of the mean squared error (Rybkin et al. 2021)."""
    net = vae.Sigma()
    assert float(net().detach()) == pytest.approx(1.0, abs=0.01)
    x, logits = torch.rand(4, 1, 5, 5), torch.zeros(4, 1, 5, 5)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(400):
        optimiser.zero_grad()
        vae.gaussian(logits, x, {"sigma": net()}).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert float(net().detach()) == pytest.approx(float((x - 0.5).square().mean().sqrt()), rel=1e-3)
    net.log_sigma.data.fill_(-1e4)
    assert float(net().detach()) == pytest.approx(math.exp(vae.LEAST))


def identity_nets(x: Tensor) -> dict[str, object]:
    return {"encoder": lambda x: x, "decoder": lambda z: torch.logit(z.clamp(1e-6, 1 - 1e-6))}


@pytest.mark.parametrize("name", ["ae", "dae"])
def test_autoencoder_loss__perfect_reconstruction(name: str) -> None:
    x = torch.full((4, 1, 8, 8), 0.5)
    measure, specs = MODELS[name].measure({}, (1, 8, 8))  # type: ignore[misc]
    noise = {key: random_streams.draw(spec, 4, "cpu", 0, key) * 0.01 for key, spec in specs.items()}
    value = measure(identity_nets(x), Batch(x, torch.zeros(4)), noise, {})["recon_mse"].mean()  # type: ignore[arg-type]
    variance = noise["x"].square().mean() if name == "dae" else torch.tensor(0.0)
    expected = variance * sum(level**2 for level in dae.LEVELS) / len(dae.LEVELS)
    torch.testing.assert_close(value, expected, rtol=1e-3, atol=1e-9)


def test_corruptions__by_hand() -> None:
    x, sigma = torch.ones(1000, 1, 4, 4), torch.tensor(0.25)
    gaussian, kind = dae.CORRUPTIONS["gaussian"]
    assert kind == "normal"
    added = gaussian(x, random_streams.draw(Draw(kind, (1, 4, 4)), 1000, "cpu", 0), sigma) - x
    assert abs(float(added.std()) - 0.25) < 0.01
    masking, kind = dae.CORRUPTIONS["masking"]
    assert kind == "uniform"
    masked = masking(x, random_streams.draw(Draw(kind, (1, 4, 4)), 1000, "cpu", 0), sigma)
    assert set(masked.flatten().tolist()) == {0.0, 1.0}
    assert abs(float((masked == 0).float().mean()) - 0.25) < 0.02
    salted = dae.CORRUPTIONS["salt_and_pepper"][0](
        x - 0.5, random_streams.draw(Draw(kind, (1, 4, 4)), 1000, "cpu", 0), sigma
    )
    shares = [float((salted == value).float().mean()) for value in (0.0, 0.5, 1.0)]
    assert shares == pytest.approx([0.125, 0.75, 0.125], abs=0.02)


def test_corruptions__share_at_most_one() -> None:
    dae.check({"corruption": "gaussian", "sigma": 2.0})
    with pytest.raises(UserError, match=r"sigma=2.0 with corruption=masking: a share is at most 1"):
        dae.check({"corruption": "masking", "sigma": 2.0})

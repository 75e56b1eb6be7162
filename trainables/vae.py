"""Variational autoencoder (Kingma & Welling 2014, arXiv:1312.6114, eq. 10 and appendix B) with a KL weight.

The loss is -log p(x|z) + w KL(q(z|x) || N(0, I)), both summed over an image, in nats, averaged over images. w is
``beta`` (Higgins et al. 2017; 1 gives the evidence bound), and rises from 0 to it over ``warmup`` epochs (Bowman et al.
2016, arXiv:1511.06349, §3.1; linearly, as Sønderby et al. 2016, arXiv:1602.02282, §2.3). ``free_bits``, in nats, is
the least cost of each number of the code: max(free_bits, its KL averaged over the batch), so that a smaller KL gains
nothing (Kingma et al. 2016, arXiv:1606.04934, appendix C.8).

Likelihoods: ``bernoulli`` takes grey pixels as probabilities (common practice, although it is not a density),
``gaussian`` is N(x; sigmoid(f(z)), sigma^2) with sigma fixed, ``gaussian_learned`` learns one sigma for all pixels
(Rybkin et al. 2021, arXiv:2006.13202, §3). ``nats`` is minus the bound at w = 1 on held-out images with one draw of z;
``recon_mse`` uses the mean code.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from trainables import ae, blocks
from trainables.config_schema import Config
from trainables.engine.interface import Batch, Hp, LogWeight, Measure, Model, Nets, Noise, Shape, Turn
from trainables.metrics.reconstruction import reconstruction
from trainables.random_streams import Draw

KEYS = (*ae.KEYS, "beta", "warmup", "free_bits", "likelihood", "sigma")
LEAST = -6.0  # of log sigma, as in the paper's code: a perfect reconstruction would drive it to minus infinity


def nets(config: Config, shape: Shape, n_classes: int) -> dict[str, nn.Module]:
    """Return encoder and decoder, and ``sigma`` if the likelihood learns it."""
    net, width, z = config["net"], config["width"], config["latent_dim"]
    built: dict[str, nn.Module] = {
        "encoder": blocks.encoder(net, shape, width, 2 * z, nn.ReLU()),  # [B, 2Z]: means, log variances
        "decoder": blocks.decoder(net, shape, width, z, nn.ReLU()),  # [B, C, H, W]: logits of the pixels
    }
    return built | sigma_net(config)


class Sigma(nn.Module):
    """One sigma for all pixels: () -> []."""

    def __init__(self) -> None:
        super().__init__()
        self.log_sigma = nn.Parameter(torch.zeros(()))

    def forward(self) -> Tensor:
        return (LEAST + softplus(self.log_sigma - LEAST)).exp()


def sigma_net(config: Config) -> dict[str, nn.Module]:
    """Return the net ``sigma`` if the likelihood learns it, else nothing."""
    return {"sigma": Sigma()} if config["likelihood"] == "gaussian_learned" else {}


def kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """Return KL(N(mean, exp(log_var)) || N(0, 1)) in nats, element by element: each [B, Z] -> [B, Z] (appendix B)."""
    return -0.5 * (1 + log_var - mean.square() - log_var.exp())


def bernoulli(logits: Tensor, x: Tensor, hp: Hp) -> Tensor:
    """Return -log p(x|z) in nats, for logits and x [B, C, H, W]: [B]."""
    return binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def gaussian(logits: Tensor, x: Tensor, hp: Hp) -> Tensor:
    """Return -log N(x; sigmoid(logits), sigma^2) in nats, for logits and x [B, C, H, W]: [B]."""
    error = (x - torch.sigmoid(logits)).square().flatten(1)
    return (error / (2 * hp["sigma"].square()) + hp["sigma"].log() + 0.5 * math.log(2 * math.pi)).sum(1)


LIKELIHOODS = {"bernoulli": bernoulli, "gaussian": gaussian, "gaussian_learned": gaussian}


def _scale(nets: Nets, hp: Hp) -> Hp:
    """Return the numbers that a likelihood reads; a learned sigma replaces that of the configuration."""
    return {**hp, "sigma": nets["sigma"]()} if "sigma" in nets else hp


def kl_loss(divergence: Tensor, hp: Hp) -> Tensor:
    """Return the KL term of the loss, [], for the KL [B, Z] of a batch: with free bits, warm-up and beta."""
    cost = torch.maximum(divergence.mean(0), hp["free_bits"]).sum()
    rise = (hp["epoch"] / hp["warmup"].clamp(min=1e-9)).clamp(max=1)  # 1 from the first step on without a warm-up
    return hp["beta"] * rise * cost


def encode(nets: Nets, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mean code, a draw z ~ q(z|x) from eps [B, Z] ~ N(0, I), and the KL, each [B, Z]."""
    mean, log_var = nets["encoder"](x).chunk(2, dim=1)
    return mean, mean + (0.5 * log_var).exp() * eps, kl(mean, log_var)


def turns(config: Config, shape: Shape) -> tuple[Turn, ...]:
    """Return the one turn, which minimises reconstruction plus weighted KL."""
    nll = LIKELIHOODS[config["likelihood"]]

    def loss(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> tuple[Tensor, dict[str, Tensor]]:
        _, z, divergence = encode(nets, batch.x, noise["eps"])
        scale = _scale(nets, hp)
        recon = nll(nets["decoder"](z), batch.x, scale).mean()
        logs = {"recon_nats": recon.detach(), "kl_nats": divergence.detach().sum(1).mean()}
        if "sigma" in nets:
            logs["sigma"] = scale["sigma"].detach()
        return recon + kl_loss(divergence, hp), logs

    moving = ("encoder", "decoder", *sigma_net(config))
    return (Turn("", moving, "lr", 1, {"eps": Draw("normal", (config["latent_dim"],))}, loss, clock=True),)


def measure(config: Config, shape: Shape) -> tuple[Measure, dict[str, Draw]]:
    """Return the measure of held-out images: nats with their two parts, and the reconstruction error."""
    nll = LIKELIHOODS[config["likelihood"]]

    def bound(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> dict[str, Tensor]:
        mean, z, divergence = encode(nets, batch.x, noise["eps"])
        recon, divergence = nll(nets["decoder"](z), batch.x, _scale(nets, hp)), divergence.sum(1)
        nats = {"nats": recon + divergence, "nats_recon": recon, "nats_kl": divergence}
        return nats | reconstruction(torch.sigmoid(nets["decoder"](mean)), batch.x)

    return bound, {"eps": Draw("normal", (config["latent_dim"],))}


def codes(nets: Nets, x: Tensor) -> Tensor:
    """Return the mean codes [B, Z] of images x."""
    mean: Tensor = nets["encoder"](x).chunk(2, dim=1)[0]
    return mean


def log_weight(config: Config) -> LogWeight | None:
    """Return log p(x|z) + log p(z) - log q(z|x) of binary images (Burda et al. 2016, eq. 8).

    Return None unless the likelihood is Bernoulli.
    """
    if config["likelihood"] != "bernoulli":
        return None

    def weight(nets: Nets, batch: Batch) -> Callable[[Tensor], Tensor]:
        mean, log_var = nets["encoder"](batch.x).chunk(2, dim=1)  # once for all the codes that are drawn

        def of_draw(eps: Tensor) -> Tensor:
            z = mean + (0.5 * log_var).exp() * eps
            prior_over_code = 0.5 * (eps.square() + log_var - z.square()).sum(1)
            log_w: Tensor = prior_over_code - bernoulli(nets["decoder"](z), batch.x, {})
            return log_w

        return of_draw

    return weight


def sample(nets: Nets, z: Tensor, y: Tensor) -> Tensor:
    """Return the mean image of p(x|z) for each z [B, Z]; y is not used."""
    return torch.sigmoid(nets["decoder"](z))


def _gaussian_only(config: Config) -> bool:
    return bool(config["likelihood"] == "gaussian")


MODEL = Model(
    "vae", KEYS, nets, turns, sample, measure,
    encode=codes, log_weight=log_weight, when={"sigma": _gaussian_only}, normal_codes=True, stacks=True, doc=__doc__,
)  # fmt: skip

"""Variational autoencoder (Kingma & Welling 2014, arXiv:1312.6114, eq. 10 and appendix B) with a KL weight.

The loss is -log p(x|z) + beta KL(q(z|x) || N(0, I)), both summed over an image, in nats, averaged over images; beta
is the weight of Higgins et al. 2017, and 1 gives the evidence bound. Likelihoods: ``bernoulli`` takes grey pixels as
probabilities (common practice, though no density), ``gaussian`` is N(x; sigmoid(f(z)), sigma^2) with sigma fixed.
``nats`` is minus the bound at beta = 1 on held-out images with one draw of z; ``recon_mse`` is from the mean code.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from trainables import ae, blocks
from trainables.engine.model import Batch, Hp, LogWeight, Measure, Model, Nets, Noise, Shape, Turn
from trainables.engine.streams import Draw
from trainables.keys import Config
from trainables.metrics.reconstruction import reconstruction

KEYS = (*ae.KEYS, "beta", "likelihood", "sigma")


def nets(config: Config, shape: Shape, n_classes: int) -> dict[str, nn.Module]:
    net, width, z = config["net"], config["width"], config["latent_dim"]
    return {
        "encoder": blocks.encoder(net, shape, width, 2 * z, nn.ReLU()),  # [B, 2Z]: means, log variances
        "decoder": blocks.decoder(net, shape, width, z, nn.ReLU()),  # [B, C, H, W]: logits of the pixels
    }


def kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, exp(log_var)) || N(0, I)) in nats, each [B, Z] -> [B] (appendix B)."""
    return -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum(1)


def bernoulli(logits: Tensor, x: Tensor, hp: Hp) -> Tensor:
    """-log p(x|z) in nats, each [B, C, H, W] -> [B]."""
    return binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def gaussian(logits: Tensor, x: Tensor, hp: Hp) -> Tensor:
    """-log N(x; sigmoid(logits), sigma^2) in nats, each [B, C, H, W] -> [B]."""
    error = (x - torch.sigmoid(logits)).square().flatten(1)
    return (error / (2 * hp["sigma"].square()) + hp["sigma"].log() + 0.5 * math.log(2 * math.pi)).sum(1)


LIKELIHOODS = {"bernoulli": bernoulli, "gaussian": gaussian}


def encode(nets: Nets, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The mean code [B, Z], a draw z ~ q(z|x) [B, Z] and the KL [B]."""
    mean, log_var = nets["encoder"](x).chunk(2, dim=1)
    return mean, mean + (0.5 * log_var).exp() * eps, kl(mean, log_var)


def turns(config: Config, shape: Shape) -> tuple[Turn, ...]:
    nll = LIKELIHOODS[config["likelihood"]]

    def loss(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> tuple[Tensor, dict[str, Tensor]]:
        _, z, divergence = encode(nets, batch.x, noise["eps"])
        recon, divergence = nll(nets["decoder"](z), batch.x, hp).mean(), divergence.mean()
        return recon + hp["beta"] * divergence, {"recon_nats": recon.detach(), "kl_nats": divergence.detach()}

    return (Turn("", ("encoder", "decoder"), "lr", 1, {"eps": Draw("normal", (config["latent_dim"],))}, loss),)


def measure(config: Config, shape: Shape) -> tuple[Measure, dict[str, Draw]]:
    nll = LIKELIHOODS[config["likelihood"]]

    def bound(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> dict[str, Tensor]:
        mean, z, divergence = encode(nets, batch.x, noise["eps"])
        recon = nll(nets["decoder"](z), batch.x, hp)
        nats = {"nats": recon + divergence, "nats_recon": recon, "nats_kl": divergence}
        return nats | reconstruction(torch.sigmoid(nets["decoder"](mean)), batch.x)

    return bound, {"eps": Draw("normal", (config["latent_dim"],))}


def codes(nets: Nets, x: Tensor) -> Tensor:
    """The mean codes [B, Z]."""
    mean: Tensor = nets["encoder"](x).chunk(2, dim=1)[0]
    return mean


def log_weight(config: Config) -> LogWeight | None:
    """log p(x|z) + log p(z) - log q(z|x) of binary images, for the Bernoulli likelihood (Burda et al. 2016, eq. 8)."""
    if config["likelihood"] != "bernoulli":
        return None

    def weight(nets: Nets, batch: Batch, eps: Tensor) -> Tensor:
        mean, log_var = nets["encoder"](batch.x).chunk(2, dim=1)
        z = mean + (0.5 * log_var).exp() * eps
        prior_over_code = 0.5 * (eps.square() + log_var - z.square()).sum(1)
        log_w: Tensor = prior_over_code - bernoulli(nets["decoder"](z), batch.x, {})
        return log_w

    return weight


def sample(nets: Nets, z: Tensor, y: Tensor) -> Tensor:
    """The mean image of p(x|z) for each z [B, Z]; y is not used."""
    return torch.sigmoid(nets["decoder"](z))


def _gaussian_only(config: Config) -> bool:
    return bool(config["likelihood"] == "gaussian")


MODEL = Model(
    "vae", KEYS, nets, turns, sample, measure, encode=codes, log_weight=log_weight, when={"sigma": _gaussian_only}
)

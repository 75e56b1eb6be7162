"""Autoencoder: it compresses an image to a code z of ``latent_dim`` numbers, by squared error (Hinton &
Salakhutdinov 2006).

The reconstruction is a sigmoid, so it lies in [0, 1] as the pixels do. The loss is summed over pixels and averaged over
images; the reported ``recon_mse`` is the mean over both. Grids show input beside output. With ``gmm`` the model also
samples, from a mixture of that many Gaussians on its codes (mixture.py).
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from trainables import blocks
from trainables.config_schema import Config
from trainables.engine.interface import Batch, Hp, Measure, Model, Nets, Noise, Shape, Show, Turn
from trainables.metrics.reconstruction import reconstruction
from trainables.mixture import Mixture
from trainables.random_streams import Draw

KEYS = (
    "lr", "lr_decay", "beta1", "beta2", "batch_size", "epochs", "steps_per_epoch",
    "latent_dim", "width", "net", "precision",
)  # fmt: skip


def nets(config: Config, shape: Shape, n_classes: int) -> dict[str, nn.Module]:
    """Return encoder and decoder, and the mixture if ``gmm`` is not 0."""
    net, width, z = config["net"], config["width"], config["latent_dim"]
    built: dict[str, nn.Module] = {
        "encoder": blocks.encoder(net, shape, width, z, nn.ReLU()),
        "decoder": blocks.decoder(net, shape, width, z, nn.ReLU()),
    }
    return built | ({"mixture": Mixture(config["gmm"], z)} if config["gmm"] else {})


def encode(nets: Nets, x: Tensor) -> Tensor:
    """Return the codes [B, Z] of images x."""
    codes: Tensor = nets["encoder"](x)
    return codes


def reconstruct(nets: Nets, x: Tensor) -> Tensor:
    """Return the reconstructions, [B, C, H, W] in [0, 1], of images x of that shape."""
    return torch.sigmoid(nets["decoder"](nets["encoder"](x)))


def turns(config: Config, shape: Shape) -> tuple[Turn, ...]:
    """Return the one turn, which minimises the squared error."""

    def loss(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> tuple[Tensor, dict[str, Tensor]]:
        return (reconstruct(nets, batch.x) - batch.x).square().sum() / batch.x.shape[0], {}

    return (Turn("", ("encoder", "decoder"), "lr", 1, {}, loss),)


def measure(config: Config, shape: Shape) -> tuple[Measure, dict[str, Draw]]:
    """Return the measure of held-out images: their reconstruction error."""

    def mse(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> dict[str, Tensor]:
        return reconstruction(reconstruct(nets, batch.x), batch.x)

    return mse, {}


def show(config: Config, shape: Shape) -> tuple[Show, dict[str, Draw]]:
    """Return what to draw: each image beside its reconstruction."""

    def pairs(nets: Nets, batch: Batch, noise: Noise) -> Tensor:
        return torch.stack([batch.x, reconstruct(nets, batch.x)], 1).flatten(0, 1)

    return pairs, {}


def latent(config: Config, shape: Shape) -> int:
    """Return the length of the noise that a sample needs."""
    return 1 + int(config["latent_dim"])


def draws(config: Config) -> bool:
    """Return whether there is a mixture to sample from."""
    return bool(config["gmm"])


def sample(nets: Nets, z: Tensor, y: Tensor) -> Tensor:
    """Return the decoded draw of the mixture for each noise z [B, 1 + Z]; y is not used."""
    return torch.sigmoid(nets["decoder"](nets["mixture"](z)))


def fit(nets: Mapping[str, nn.Module], images: Iterator[Tensor], seed: int) -> None:
    """Fit the mixture, if the model has one, to the codes of images, [B, C, H, W] at a time."""
    mixture = nets.get("mixture")
    if isinstance(mixture, Mixture):
        mixture.fit(torch.cat([encode(nets, x) for x in images]), seed)


MODEL = Model(
    "ae", (*KEYS, "gmm"), nets, turns, sample, measure, show,
    encode=encode, reconstruct=reconstruct, latent=latent, draws=draws, fit=fit, stacks=True, doc=__doc__,
)  # fmt: skip

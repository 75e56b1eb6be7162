"""Conditional VAE: encoder and decoder get the label too (Sohn et al. 2015; with one prior for all labels, as in model
M2 of Kingma et al. 2014, arXiv:1406.5298, eq. 6). Everything but the nets is the VAE's.

The label enters the encoder as one more image plane and the decoder beside z; both are learned for each label. A code
describes an image given its label, so an image alone does not have one.
"""

import torch
from torch import Tensor, nn

from trainables import blocks, vae
from trainables.config_schema import Config
from trainables.engine.interface import Batch, Hp, LogWeight, Measure, Nets, Noise, Shape, Turn
from trainables.random_streams import Draw


class Encoder(nn.Module):
    """Images [B, C, H, W], y [B] -> means and log variances [B, 2Z]."""

    def __init__(self, config: Config, shape: Shape, n_classes: int) -> None:
        super().__init__()
        c, h, w = shape
        self.plane = nn.Embedding(n_classes, h * w)
        nn.init.normal_(self.plane.weight, 0.0, 0.1)  # as small as pixels, so that it does not hide the image at first
        outputs = 2 * config["latent_dim"]
        self.body = blocks.encoder(config["net"], (c + 1, h, w), config["width"], outputs, nn.ReLU())

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        plane = self.plane(y).view(-1, 1, *x.shape[2:])
        out: Tensor = self.body(torch.cat([x, plane], 1))
        return out


class Decoder(nn.Module):
    """z [B, Z], y [B] -> logits of the pixels [B, C, H, W]."""

    def __init__(self, config: Config, shape: Shape, n_classes: int) -> None:
        super().__init__()
        z = config["latent_dim"]
        self.embed = nn.Embedding(n_classes, z)
        self.body = blocks.decoder(config["net"], shape, config["width"], 2 * z, nn.ReLU())

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        out: Tensor = self.body(torch.cat([z, self.embed(y)], 1))
        return out


def nets(config: Config, shape: Shape, n_classes: int) -> dict[str, nn.Module]:
    """Return encoder and decoder, and ``sigma`` if the likelihood learns it."""
    built: dict[str, nn.Module] = {
        "encoder": Encoder(config, shape, n_classes),
        "decoder": Decoder(config, shape, n_classes),
    }
    return built | vae.sigma_net(config)


def bind_labels(nets: Nets, y: Tensor) -> Nets:
    """Return the nets as the VAE calls them, without labels: these use the labels y [B]."""
    encoder, decoder = nets["encoder"], nets["decoder"]
    return {**nets, "encoder": lambda x: encoder(x, y), "decoder": lambda z: decoder(z, y)}


def turns(config: Config, shape: Shape) -> tuple[Turn, ...]:
    """Return the VAE's turn on the nets with labels."""
    (turn,) = vae.turns(config, shape)

    def loss(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> tuple[Tensor, dict[str, Tensor]]:
        return turn.loss(bind_labels(nets, batch.y), batch, noise, hp)

    return (turn._replace(loss=loss),)


def measure(config: Config, shape: Shape) -> tuple[Measure, dict[str, Draw]]:
    """Return the VAE's measure on the nets with labels."""
    bound, noise = vae.measure(config, shape)
    return lambda nets, batch, noise, hp: bound(bind_labels(nets, batch.y), batch, noise, hp), noise


def log_weight(config: Config) -> LogWeight | None:
    """Return the VAE's log weight on the nets with labels; None if it has none."""
    weigh = vae.log_weight(config)
    return None if weigh is None else lambda nets, batch: weigh(bind_labels(nets, batch.y), batch)


def sample(nets: Nets, z: Tensor, y: Tensor) -> Tensor:
    """Return the mean image of p(x|z, y) for each z [B, Z] and label y [B]."""
    return vae.sample(bind_labels(nets, y), z, y)


MODEL = vae.MODEL._replace(
    name="cvae",
    nets=nets,
    turns=turns,
    sample=sample,
    measure=measure,
    encode=None,
    log_weight=log_weight,
    conditional=True,
    doc=__doc__,
)

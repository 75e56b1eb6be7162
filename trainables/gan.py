"""Generative adversarial network (Goodfellow et al. 2014), small DCGAN nets (Radford et al. 2015, arXiv:1511.06434).

A step is ``d_steps`` discriminator turns and then ``g_steps`` generator turns on one batch of real images, with fresh
noise each time. Departures from DCGAN: two strided layers, no batch norm in the discriminator, images in [0, 1]
(the generator ends in a sigmoid; the discriminator maps to [-1, 1] itself).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from trainables import blocks
from trainables.engine.model import Batch, Hp, Model, Nets, Noise, Shape, Turn
from trainables.engine.streams import Draw
from trainables.keys import Config
from trainables.schemes import SCHEMES

_NETS = ("latent_dim", "width", "net", "scheme", "d_steps", "g_steps", "ema", "label_smoothing", "precision")
KEYS = ("lr_g", "lr_d", "beta1", "beta2", "batch_size", "epochs", *_NETS)


class Generator(nn.Module):
    """z [B, Z], y [B] -> images [B, C, H, W] in [0, 1]; with ``n_classes`` an embedding of y joins z.

    Joining label and noise at the input is Mirza & Osindero 2014, arXiv:1411.1784, §3.2.
    """

    def __init__(self, config: Config, shape: Shape, n_classes: int = 0) -> None:
        super().__init__()
        z = config["latent_dim"]
        self.embed = nn.Embedding(n_classes, z) if n_classes else None
        inputs = 2 * z if n_classes else z
        self.body = blocks.decoder(config["net"], shape, config["width"], inputs, nn.ReLU(), depth=2, norm=True)
        blocks.dcgan_init(self)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        joined = z if self.embed is None else torch.cat([z, self.embed(y)], 1)
        return torch.sigmoid(self.body(joined))


class Discriminator(nn.Module):
    """Images [B, C, H, W] in [0, 1], y [B] -> logits [B]; with ``n_classes`` it judges the pair of image and label.

    The label enters by projection: a linear function of the features plus their inner product with an embedding of y
    (Miyato & Koyama 2018, arXiv:1802.05637, eq. 4).
    """

    def __init__(self, config: Config, shape: Shape, n_classes: int = 0) -> None:
        super().__init__()
        features = 128
        act = nn.LeakyReLU(0.2)
        self.body = blocks.encoder(config["net"], shape, config["width"], features, act, depth=2)
        self.act = act
        self.head = nn.Linear(features, 1)
        self.embed = nn.Embedding(n_classes, features) if n_classes else None
        blocks.dcgan_init(self)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.act(self.body(2 * x - 1))  # [B, F]
        logit: Tensor = self.head(h).squeeze(1)
        return logit if self.embed is None else logit + (self.embed(y) * h).sum(1) / h.shape[1] ** 0.5


def nets(config: Config, shape: Shape, n_classes: int) -> dict[str, nn.Module]:
    return {"g": Generator(config, shape), "d": Discriminator(config, shape)}


def turns(config: Config, shape: Shape) -> tuple[Turn, ...]:
    scheme = SCHEMES[config["scheme"]]

    def d_loss(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> tuple[Tensor, dict[str, Tensor]]:
        real = nets["d"](batch.x, batch.y)
        fake = nets["d"](nets["g"](noise["z"], batch.y), batch.y)
        return scheme.d(real, fake, hp), {"d_real": scheme.view(real).mean(), "d_fake": scheme.view(fake).mean()}

    def g_loss(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> tuple[Tensor, dict[str, Tensor]]:
        return scheme.g(nets["d"](nets["g"](noise["z"], batch.y), batch.y)), {}

    z = {"z": Draw("normal", (config["latent_dim"],))}
    return (
        Turn("d", ("d",), "lr_d", config["d_steps"], z, d_loss),
        Turn("g", ("g",), "lr_g", config["g_steps"], z, g_loss),
    )


def sample(nets: Nets, z: Tensor, y: Tensor) -> Tensor:
    """Images [B, C, H, W] for z [B, Z] and labels y [B] (which an unconditional generator ignores)."""
    images: Tensor = nets["g"](z, y)
    return images


def _has_targets(config: Config) -> bool:
    return SCHEMES[config["scheme"]].targets


WHEN: dict[str, Callable[[Config], bool]] = {"label_smoothing": _has_targets}
MODEL = Model("gan", KEYS, nets, turns, sample, averaged="g", when=WHEN)

"""Generative adversarial network (Goodfellow et al. 2014), small DCGAN nets (Radford et al. 2015, arXiv:1511.06434).

A step is ``d_steps`` discriminator turns and then ``g_steps`` generator turns on one batch of real images, with fresh
noise each time. Departures from DCGAN: two strided layers, no batch norm in the discriminator unless ``d_norm`` is
"batch", images in [0, 1] (the generator ends in a sigmoid; the discriminator maps to [-1, 1] itself).

``pack`` is PacGAN (Lin et al. 2018, arXiv:1712.04086, §3): D sees that many images, all real or all
generated, at once, stacked as channels. So it can detect a generator with too little variety.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from trainables import blocks
from trainables.config_schema import Config
from trainables.engine.interface import After, Batch, Hp, Model, Nets, Noise, Shape, State, Turn
from trainables.errors import UserError
from trainables.penalties import PENALTIES
from trainables.random_streams import Draw
from trainables.schemes import SCHEMES

_SCHEME = ("scheme", "label_smoothing", "penalty", "penalty_weight", "clip", "d_norm", "pack", "d_steps", "g_steps")
_NETS = ("latent_dim", "width", "net", "ema", "precision")
KEYS = ("lr_g", "lr_d", "beta1", "beta2", "batch_size", "epochs", *_SCHEME, *_NETS)


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
    """Images [B, C, H, W] in [0, 1], y [B] -> outputs [B / pack]; with ``n_classes`` it scores image and label.

    The label enters by projection: a linear function of the features plus their inner product with an embedding of y
    (Miyato & Koyama 2018, arXiv:1802.05637, eq. 4); the labels of a pack add up, each position with its own embedding.
    """

    def __init__(self, config: Config, shape: Shape, n_classes: int = 0) -> None:
        super().__init__()
        features, self.pack, self.n_classes = 128, config["pack"], n_classes
        act, batch = nn.LeakyReLU(0.2), config["d_norm"] == "batch"
        packed = (self.pack * shape[0], *shape[1:])
        self.body = blocks.encoder(config["net"], packed, config["width"], features, act, depth=2, norm=batch)
        self.act = act
        self.head = nn.Linear(features, 1)
        self.embed = nn.Embedding(n_classes * self.pack, features) if n_classes else None
        blocks.dcgan_init(self)
        if config["d_norm"] == "spectral":
            blocks.spectral_norm(self)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.act(self.body(2 * packs(x, len(y) // self.pack) - 1))  # [P, F]
        output: Tensor = self.head(h).squeeze(1)
        if self.embed is None:
            return output
        offsets = self.n_classes * torch.arange(self.pack, device=y.device)
        labels = self.embed(y.view(-1, self.pack) + offsets).sum(1)  # [P, F]
        return output + (labels * h).sum(1) / h.shape[1] ** 0.5  # type: ignore[no-any-return]


def packs(x: Tensor, n: int) -> Tensor:
    """Return images [B, C, H, W] as ``n`` packs [n, C B/n, H, W]; packs are returned as they are."""
    return x if len(x) == n else x.reshape(n, -1, *x.shape[2:])


def nets(config: Config, shape: Shape, n_classes: int) -> dict[str, nn.Module]:
    """Return the generator g and the discriminator d, which use no labels."""
    return {"g": Generator(config, shape), "d": Discriminator(config, shape)}


def turns(config: Config, shape: Shape) -> tuple[Turn, ...]:
    """Return the turns of the discriminator and of the generator, in this order."""
    scheme, penalty = SCHEMES[config["scheme"]], PENALTIES[config["penalty"]]

    def d_loss(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> tuple[Tensor, dict[str, Tensor]]:
        images = nets["g"](noise["z"], batch.y)
        real, fake = nets["d"](batch.x, batch.y), nets["d"](images, batch.y)
        loss = scheme.d(real, fake, hp)
        logs = {"d_real": scheme.view(real).mean(), "d_fake": scheme.view(fake).mean()}
        if penalty.term is not None:
            n = len(real)
            term = penalty.term(lambda x: nets["d"](x, batch.y), packs(batch.x, n), packs(images, n), noise)
            loss, logs = loss + hp["penalty_weight"] * term, {**logs, "penalty": term.detach()}
        return loss, logs

    def g_loss(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> tuple[Tensor, dict[str, Tensor]]:
        return scheme.g(nets["d"](nets["g"](noise["z"], batch.y), batch.y)), {}

    z = {"z": Draw("normal", (config["latent_dim"],))}
    return (
        Turn("d", ("d",), "lr_d", config["d_steps"], {**z, **penalty.noise(shape)}, d_loss, after(config)),
        Turn("g", ("g",), "lr_g", config["g_steps"], z, g_loss),
    )


def after(config: Config) -> After | None:
    """Return what changes after each update of D: weights are put into their bounds, spectral vectors follow.

    Return None if the configuration needs neither.
    """
    project, spectral = PENALTIES[config["penalty"]].project, config["d_norm"] == "spectral"
    if project is None and not spectral:
        return None

    def change(weights: State, buffers: State, hp: Hp) -> dict[str, Tensor]:
        bounded = {} if project is None else {name: project(weight, hp) for name, weight in weights.items()}
        return {**bounded, **(blocks.spectral_vectors_after({**weights, **bounded}, buffers) if spectral else {})}

    return change


def sample(nets: Nets, z: Tensor, y: Tensor) -> Tensor:
    """Return images [B, C, H, W] for z [B, Z] and labels y [B] (which an unconditional generator ignores)."""
    images: Tensor = nets["g"](z, y)
    return images


def check(config: Config) -> None:
    """Raise UserError if the configuration cannot be trained.

    That is a gradient penalty with batch norm, or a batch that is not at least two whole packs.
    """
    penalty, size, pack = config["penalty"], config["batch_size"], config["pack"]
    if PENALTIES[penalty].term is not None and config["d_norm"] == "batch":
        raise UserError(
            f"penalty={penalty} with d_norm=batch: the penalty is about each image by itself, and batch norm mixes the "
            "images of a batch: use d_norm=none or d_norm=spectral"
        )
    if size % pack or size < 2 * pack:
        raise UserError(f"batch_size={size} with pack={pack}: a batch must be two or more whole packs")


WHEN: dict[str, Callable[[Config], bool]] = {
    "label_smoothing": lambda config: SCHEMES[config["scheme"]].targets,
    "penalty_weight": lambda config: PENALTIES[config["penalty"]].term is not None,
    "clip": lambda config: PENALTIES[config["penalty"]].project is not None,
}
MODEL = Model("gan", KEYS, nets, turns, sample, averaged="g", when=WHEN, check=check, stacks=True, doc=__doc__)

"""Generative adversarial network (Goodfellow et al. 2014).

A step is ``d_steps`` discriminator turns and then ``g_steps`` generator turns on one batch of real images, with fresh
noise each time.

The conv nets are those of DCGAN (Radford et al. 2015, arXiv:1511.06434, §3 and the authors' MNIST code, without its
fully connected layers of 1,024 units): batch norm in G behind every layer but the last, in D (``d_norm=batch``) behind
every layer but the first and last, weights drawn from N(0, 0.02^2). Departures: images in [0, 1] (G ends in a sigmoid,
and D maps to [-1, 1] itself), and ``ema``. The pyramid nets are MLPs with leaky ReLUs in both nets and D sees pixels as
they are, as in many course exercises. ``out=tanh`` lets G draw from (-1, 1) beside images in [0, 1], a common mistake;
its samples are clamped to [0, 1], and ``outside`` is the share of pixels that this changed.

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
_NETS = ("latent_dim", "width", "net", "out", "d_dropout", "ema", "precision")
KEYS = ("lr_g", "lr_d", "lr_decay", "beta1", "beta2", "batch_size", "epochs", "steps_per_epoch", *_SCHEME, *_NETS)
DEPTH = 2  # hidden layers of the MLP
SLOPE = 0.2  # of a leaky ReLU below 0
PROJECTED = 128  # features whose inner product with the label's embedding is a part of D's output


class Generator(nn.Module):
    """z [B, Z], y [B] -> images [B, C, H, W] in [0, 1], or in (-1, 1) if ``out`` is tanh.

    With ``n_classes`` an embedding of y, [B, ``label_dim``], joins z (Mirza & Osindero 2014, arXiv:1411.1784, §3.2). An
    embedding as long as z draws one image a class: half of the input is the same for all images of a class.
    """

    def __init__(self, config: Config, shape: Shape, n_classes: int = 0) -> None:
        super().__init__()
        net, inputs = config["net"], config["latent_dim"]
        self.embed = nn.Embedding(n_classes, config["label_dim"]) if n_classes else None
        inputs += config["label_dim"] if n_classes else 0
        act = nn.LeakyReLU(SLOPE) if net == "pyramid" else nn.ReLU()
        self.body = blocks.decoder(net, shape, config["width"], inputs, act, DEPTH, norm=True)
        self.out = nn.Tanh() if config["out"] == "tanh" else nn.Sigmoid()
        if net == "conv":
            blocks.dcgan_init(self)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        joined = z if self.embed is None else torch.cat([z, self.embed(y)], 1)
        images: Tensor = self.out(self.body(joined))
        return images


class Discriminator(nn.Module):
    """Images [B, C, H, W], y [B], u [B, U] -> outputs [B / pack]; with ``n_classes`` it scores image and label.

    u are the random numbers of dropout, U[0, 1). The label enters by its embedding, as ``d_cond`` says:

    - channels: as ``label_dim`` constant image channels (Radford et al.'s MNIST code joins one-hot labels so).
    - concat: beside the pixels (Mirza & Osindero 2014, §3.2), for nets without convolutions.
    - projection: D's output is a linear function of the features plus their inner product with the embedding (Miyato &
      Koyama 2018, arXiv:1802.05637, eq. 4).

    Each image of a pack has its own label, with an embedding of its own in a projection, where they add up.
    """

    def __init__(self, config: Config, shape: Shape, n_classes: int = 0) -> None:
        super().__init__()
        net, self.pack, self.n_classes = config["net"], config["pack"], n_classes
        self.cond = config["d_cond"] if n_classes else "none"
        self.centred = net != "pyramid"
        act, batch, (c, h, w) = nn.LeakyReLU(SLOPE), config["d_norm"] == "batch", shape
        label = config["label_dim"] if self.cond in ("channels", "concat") else 0
        channels = self.pack * (c + (label if self.cond == "channels" else 0))
        body, features = blocks.layers(
            net, (channels, h, w), config["width"], act, DEPTH, batch, config["d_dropout"],
            extra=self.pack * label if self.cond == "concat" else 0,
        )  # fmt: skip
        self.embed: nn.Embedding | None = None
        if self.cond == "projection":
            body, features = [*body, nn.Linear(features, PROJECTED), act], PROJECTED
            self.embed = nn.Embedding(n_classes * self.pack, features)
        elif n_classes:
            self.embed = nn.Embedding(n_classes, label)
        self.body, self.head = nn.Sequential(*body), nn.Linear(features, 1)
        if net == "conv":
            blocks.dcgan_init(self)
        if config["d_norm"] == "spectral":
            for part in (self.body, self.head, *([self.embed] if self.embed and self.cond == "projection" else [])):
                blocks.spectral_norm(part)

    def forward(self, x: Tensor, y: Tensor, u: Tensor | None = None) -> Tensor:
        n = len(y) // self.pack
        h, used = self._with_labels(packs(x, n), y), 0
        for layer in self.body:
            if not isinstance(layer, blocks.Dropout):
                h = layer(h)
                continue
            assert u is not None
            size = h[0].numel()
            h, used = layer(h, u[:n, used : used + size]), used + size
        output: Tensor = self.head(h).squeeze(1)
        if self.embed is None or self.cond != "projection":
            return output
        offsets = self.n_classes * torch.arange(self.pack, device=y.device)
        labels = self.embed(y.view(-1, self.pack) + offsets).sum(1)  # [P, F]
        return output + (labels * h).sum(1) / h.shape[1] ** 0.5  # type: ignore[no-any-return]

    def _with_labels(self, x: Tensor, y: Tensor) -> Tensor:
        """Return packs x [P, C, H, W] with the embeddings of their labels y [B], if D takes them at its input."""
        if self.centred:
            x = 2 * x - 1
        if self.embed is None or self.cond == "projection":
            return x
        labels = self.embed(y).view(len(x), -1)  # [P, pack * label_dim]
        if self.cond == "concat":
            return torch.cat([x.flatten(1), labels], 1)
        planes = labels[:, :, None, None].expand(-1, -1, *x.shape[2:])
        return torch.cat([x, planes], 1)


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
        real = nets["d"](batch.x, batch.y, noise.get("drop_real"))
        fake = nets["d"](images, batch.y, noise.get("drop_fake"))
        loss = scheme.d(real, fake, hp)
        logs = {"d_real": scheme.view(real).mean(), "d_fake": scheme.view(fake).mean()}
        if penalty.term is not None:
            n = len(real)

            def critic(x: Tensor) -> Tensor:
                outputs: Tensor = nets["d"](x, batch.y, noise.get("drop_real"))
                return outputs

            term = penalty.term(critic, packs(batch.x, n), packs(images, n), noise)
            loss, logs = loss + hp["penalty_weight"] * term, {**logs, "penalty": term.detach()}
        return loss, logs

    def g_loss(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> tuple[Tensor, dict[str, Tensor]]:
        images = nets["g"](noise["z"], batch.y)
        logs = {"outside": (images.detach() < 0).float().mean()} if config["out"] == "tanh" else {}  # none is above 1
        return scheme.g(nets["d"](images, batch.y, noise.get("drop"))), logs

    z = {"z": Draw("normal", (config["latent_dim"],))}
    d_noise = {**z, **penalty.noise(shape), **_dropout(config, shape, "drop_real", "drop_fake")}
    return (
        Turn("d", ("d",), "lr_d", config["d_steps"], d_noise, d_loss, after(config)),
        Turn("g", ("g",), "lr_g", config["g_steps"], {**z, **_dropout(config, shape, "drop")}, g_loss),
    )


def _dropout(config: Config, shape: Shape, *names: str) -> dict[str, Draw]:
    """Return the random numbers of dropout in D, for each pass through it; none without dropout."""
    if not config["d_dropout"]:
        return {}
    units = blocks.hidden_units(config["net"], shape, config["width"], DEPTH)
    return dict.fromkeys(names, Draw("uniform", (units,)))


def after(config: Config) -> After | None:
    """Return what changes after each update of D: weights are put into their bounds, spectral vectors follow.

    Return None if the configuration needs neither.
    """
    project, spectral = PENALTIES[config["penalty"]].project, config["d_norm"] == "spectral"
    if project is None and not spectral:
        return None

    def change(weights: State, buffers: State, hp: Hp, batch: Batch, noise: Noise, nets: Nets) -> dict[str, Tensor]:
        bounded = {} if project is None else {name: project(weight, hp) for name, weight in weights.items()}
        return {**bounded, **(blocks.spectral_vectors_after({**weights, **bounded}, buffers) if spectral else {})}

    return change


def sample(nets: Nets, z: Tensor, y: Tensor) -> Tensor:
    """Return images [B, C, H, W] in [0, 1] for z [B, Z] and labels y [B] (which an unconditional generator ignores)."""
    images: Tensor = nets["g"](z, y)
    return images.clamp(0, 1)


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

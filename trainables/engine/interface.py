"""What a model gives to the engine: its nets, and the turns that make up one step.

A turn updates some nets by one optimiser, a fixed number of times per step. A VAE has one turn; a GAN has a
discriminator turn and a generator turn. Losses are pure: nets are callables, random numbers are arguments, numeric keys
are 0-d tensors. A model with ``stacks=True`` also promises that its losses do not read the value of a tensor and keep
the same shapes. Then the same loss runs on plain modules, or over many trials at once by ``torch.func``.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from torch import Tensor, nn

from trainables.config_schema import Config
from trainables.errors import UserError
from trainables.random_streams import Draw
from trainables.user_model.metrics import UserMetric

Nets = Mapping[str, Callable[..., Any]]
Noise = Mapping[str, Tensor]
Hp = Mapping[str, Tensor]
Shape = tuple[int, int, int]  # C, H, W


class Batch(NamedTuple):
    """Images and their labels."""

    x: Tensor  # float [B, C, H, W] in [0, 1]
    y: Tensor  # int64 [B]


Loss = Callable[[Nets, Batch, Noise, Hp], tuple[Tensor, dict[str, Tensor]]]  # scalar, {name: detached scalar}
Measure = Callable[[Nets, Batch, Noise, Hp], dict[str, Tensor]]  # {name: [B]}, one value per image
Encode = Callable[[Nets, Tensor], Tensor]  # x [B, C, H, W] -> codes [B, Z]
LogWeight = Callable[[Nets, Batch], Callable[[Tensor], Tensor]]  # of binary x: eps [B, Z] ~ N(0, I) -> [B], see vae.py
Fit = Callable[[Mapping[str, nn.Module], Iterator[Tensor], int], None]  # nets, images [B, C, H, W] at a time, seed
Reconstruct = Callable[[Nets, Tensor], Tensor]  # x [B, C, H, W] -> [B, C, H, W] in [0, 1]
Show = Callable[[Nets, Batch, Noise], Tensor]  # images to draw beside each other, [n B, C, H, W] in [0, 1]
State = Mapping[str, Tensor]  # of a net, by name
# Of a net that a turn has updated: parameters, buffers -> what changes. The nets are as the loss calls them.
After = Callable[[State, State, Hp, Batch, Noise, Nets], dict[str, Tensor]]
Schedule = Callable[[float], float]  # share of the steps done, 0..1 -> what the learning rate is multiplied by


class Turn(NamedTuple):
    """One optimiser's part of a step. Its rows are ``loss_NAME``, ``grad_norm_NAME``, ``updates_NAME``."""

    name: str  # "" if there is only one turn
    nets: tuple[str, ...]  # the nets that are updated
    lr: str  # the key of the learning rate
    times: int  # updates per step
    noise: dict[str, Draw]
    loss: Loss
    after: After | None = None
    clock: bool = False  # whether the loss reads hp["epoch"]: epochs done after this step
    optimiser: str = "adam"  # of OPTIMISERS
    schedule: Schedule | None = None


class Model(NamedTuple):
    """A generative image model.

    - ``nets(config, shape, n_classes)`` builds the modules, ``turns(config, shape)`` the turns of a step.
    - ``sample(nets, z, y)`` draws images [B, C, H, W] in [0, 1] from z [B, Z] and labels y [B]. None: the model does
      not sample.
    - ``latent(config, shape)`` returns Z, or a tuple if z is [B, *Z].
    - ``measure(config, shape)`` returns a score of each held-out image, and the noise that it needs.
    - ``show(config, shape)`` returns what the sample grid shows instead of samples, and the noise that it needs.
    - ``fit(nets, images, seed)`` fits the distribution of ``sample``, if training does not.
    - ``reconstruct(nets, x)`` returns the reconstructions of images; every model with ``show`` has it.
    - ``encode(nets, x)`` returns the codes of images.
    - ``log_weight(config)`` returns the log importance weight of a code drawn for a binary image. None: the likelihood
      is not that of binary images.
    """

    name: str
    keys: tuple[str, ...]
    nets: Callable[[Config, Shape, int], dict[str, nn.Module]]
    turns: Callable[[Config, Shape], tuple[Turn, ...]]
    sample: Callable[[Nets, Tensor, Tensor], Tensor] | None = None
    measure: Callable[[Config, Shape], tuple[Measure, dict[str, Draw]]] | None = None
    show: Callable[[Config, Shape], tuple[Show, dict[str, Draw]]] | None = None
    encode: Encode | None = None
    log_weight: Callable[[Config], LogWeight | None] | None = None
    reconstruct: Reconstruct | None = None
    averaged: str | None = None  # the net whose weights are averaged by ``ema``
    conditional: bool = False
    when: dict[str, Callable[[Config], bool]] = {}  # noqa: RUF012  keys read only in some configurations
    latent: Callable[[Config, Shape], int | tuple[int, ...]] = lambda config, shape: int(config["latent_dim"])
    draws: Callable[[Config], bool] = lambda config: True  # whether this configuration can sample, if the model can
    fit: Fit | None = None
    stacks: bool = False  # whether `torch.func` can train many trials of it as one program (stack.py); tested if so
    normal_codes: bool = False  # whether training pulls the codes towards N(0, I)
    doc: str = ""  # what it is, and its source: the docstring of its file
    metrics: Mapping[str, UserMetric] = {}
    check: Callable[[Config], None] = lambda config: None  # raises UserError if values do not fit together

    def samples(self, config: Config) -> bool:
        """Return whether a trial of this configuration can sample."""
        return self.sample is not None and self.draws(config)

    def z_shape(self, config: Config, shape: Shape) -> tuple[int, ...]:
        """Return the shape of one z; raise UserError if `latent` gives neither a length nor a shape."""
        size = self.latent(config, shape)
        sizes: tuple[Any, ...] = tuple(size) if isinstance(size, tuple | list) else (size,)
        if not sizes or not all(type(n) is int and n > 0 for n in sizes):
            raise UserError(f"latent(config, shape) gives {size!r}: a length such as 16, or a shape such as (4, 7, 7)")
        return sizes

    @property
    def shows_pairs(self) -> bool:
        """Whether saved sample grids alternate input and output, instead of samples only."""
        return self.show is not None

    def reads(self, config: Config) -> frozenset[str]:
        """Return the keys that a trial of this configuration reads: it must have exactly these."""
        return frozenset(key for key in self.keys if key not in self.when or self.when[key](config))


def suffix(turn: Turn) -> str:
    """Return the end of the names of a turn's columns: "_NAME", or "" if there is only one turn."""
    return f"_{turn.name}" if turn.name else ""

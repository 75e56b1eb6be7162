"""What a model hands to the engine: its nets, and the turns that make up one step.

A turn moves some nets by one optimiser, a given number of times per step: a VAE is one turn; a GAN is a discriminator
turn and a generator turn. Losses are pure: nets are callables, random numbers come in as arguments, numeric keys are
0-d tensors. A model that says ``stacks=True`` promises in addition that its losses ask no tensor for its value and
keep the same shapes: then the same loss runs alone on plain modules or stacked by ``torch.func`` over many trials.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from torch import Tensor, nn

from trainables.config_schema import Config
from trainables.random_streams import Draw

Nets = Mapping[str, Callable[..., Any]]
Noise = Mapping[str, Tensor]
Hp = Mapping[str, Tensor]
Shape = tuple[int, int, int]  # C, H, W


class Batch(NamedTuple):
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
After = Callable[[State, State, Hp], dict[str, Tensor]]  # parameters and buffers after an update -> what changes


class Turn(NamedTuple):
    """One optimiser's part of a step. Its rows are ``loss_NAME``, ``grad_norm_NAME``, ``updates_NAME``."""

    name: str  # "" where there is only one turn
    nets: tuple[str, ...]  # the nets that move
    lr: str  # the key of the learning rate
    times: int  # updates per step
    noise: dict[str, Draw]
    loss: Loss
    after: After | None = None
    clock: bool = False  # whether the loss reads hp["epoch"]: the epochs done when this step is


class Model(NamedTuple):
    """A generative image model.

    ``nets(config, shape, n_classes)`` builds the modules; ``turns(config, shape)`` the steps;
    ``sample(nets, z, y)`` draws images [B, C, H, W] in [0, 1] from z [B, Z] and labels y [B] (None: not a sampler);
    ``measure(config, shape)`` gives a per-image score on held-out images and the noise that it wants;
    ``show(config, shape)`` likewise gives what to draw beside a held-out image, where the model rebuilds;
    ``fit(nets, images, seed)`` fits what ``sample`` draws from, where training does not;
    ``reconstruct(nets, x)`` gives what the model makes of images; models that have ``show`` have it;
    ``encode(nets, x)`` gives the codes of images, and ``log_weight(config)`` the log of the importance weight of a code
    drawn for a binary image (None: the likelihood is not of binary images).
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
    latent: Callable[[Config], int] = lambda config: int(config["latent_dim"])  # length of z; 0: nothing can be drawn
    fit: Fit | None = None
    stacks: bool = False  # whether `torch.func` can train many trials of it as one program (stack.py); tested if so
    normal_codes: bool = False  # whether training draws the codes towards N(0, I)
    doc: str = ""  # what it is, and its source: the docstring of its file
    check: Callable[[Config], None] = lambda config: None  # raises UserError: values that do not go together

    def samples(self, config: Config) -> bool:
        """Whether a trial of this configuration can be drawn from."""
        return self.sample is not None and self.latent(config) > 0

    @property
    def shows_pairs(self) -> bool:
        """Whether saved sample grids alternate input and output, instead of holding samples only."""
        return self.show is not None

    def reads(self, config: Config) -> frozenset[str]:
        """The keys that a trial of this configuration reads: exactly these must be in it."""
        return frozenset(key for key in self.keys if key not in self.when or self.when[key](config))


def suffix(turn: Turn) -> str:
    return f"_{turn.name}" if turn.name else ""

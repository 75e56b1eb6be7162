"""Interface B: a user's `MODEL = gs.Model(...)`, whose nets and losses the engine trains like those of ours.

It gets what the engine gives: averaged weights, bf16, checkpoints that need no `keep`. The engine also reads keys of
its own, such as batch_size and beta1; if the user's space does not return them, they have defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from trainables.config_schema import Config
from trainables.engine.interface import After, Batch, Encode, Fit, Loss, Measure, Model, Reconstruct, Shape, Show, Turn
from trainables.errors import UserError
from trainables.random_streams import Draw
from trainables.user_model.model_file import ModelFile, execute

__all__ = ["Batch", "Draw", "build_model", "engine_model_of", "make_model", "make_turn"]

LATENT = "latent_dim"


def make_model(
    nets: Callable[[Config, Shape, int], dict[str, nn.Module]],
    turns: Callable[[Config, Shape], tuple[Turn, ...]],
    *,
    sample: Callable[[Any, Tensor, Tensor], Tensor] | None = None,
    latent: Callable[[Config], int] | None = None,
    measure: Callable[[Config, Shape], tuple[Measure, dict[str, Draw]]] | None = None,
    show: Callable[[Config, Shape], tuple[Show, dict[str, Draw]]] | None = None,
    encode: Encode | None = None,
    reconstruct: Reconstruct | None = None,
    fit: Fit | None = None,
    averaged: str | None = None,
    conditional: bool = False,
    check: Callable[[Config], None] = lambda config: None,
) -> Model:
    """Return a model for the engine; a model file names it MODEL.

    Args:
        nets: (config, shape, n_classes) -> the nets by name; shape is (C, H, W).
        turns: (config, shape) -> the turns of one step, see `Turn`.
        sample: (nets, z, y) -> images [B, C, H, W] in 0..1, from noise z [B, Z] and labels y [B].
        latent: config -> Z; by default config["latent_dim"].
        measure: (config, shape) -> a function (nets, batch, noise, hp) -> {name: [B]}, and the noise that it needs.
        show: like measure, of images to draw instead of samples.
        encode: (nets, x) -> codes [B, Z].
        reconstruct: (nets, x) -> images [B, C, H, W].
        fit: (nets, images, seed): fits the distribution of `sample` after training.
        averaged: the net whose weights `ema` averages.
        conditional: whether `sample` draws by label.
        check: raises ValueError for values of a configuration that do not go together.
    """
    return Model(
        name="",
        keys=(),
        nets=nets,
        turns=turns,
        sample=sample,
        latent=latent or (lambda config: int(config[LATENT])),
        measure=measure,
        show=show,
        encode=encode,
        reconstruct=reconstruct,
        fit=fit,
        averaged=averaged,
        conditional=conditional,
        check=check,
    )


def make_turn(
    name: str,
    nets: tuple[str, ...],
    *,
    lr: str,
    loss: Loss,
    times: int = 1,
    noise: Mapping[str, Draw] | None = None,
    after: After | None = None,
    clock: bool = False,
) -> Turn:
    """Return one optimiser's part of a step: it updates `nets` by Adam at the rate config[lr], `times` times.

    `loss(nets, batch, noise, hp)` returns a scalar and {name: detached scalar} for the rows. It is pure: random numbers
    come in `noise`, drawn as the `Draw`s say, and numeric keys as 0-d tensors in `hp`.
    """
    return Turn(name, nets, lr, times, dict(noise or {}), loss, after, clock)


def engine_model_of(module: ModuleType) -> Model | None:
    """Return MODEL of a user's module, None if it has none; raise UserError if it is not a model."""
    model = getattr(module, "MODEL", None)
    if model is None:
        return None
    if not isinstance(model, Model):
        raise UserError(
            f"{module.__file__}: MODEL is a {type(model).__name__}: write MODEL = gs.Model(nets=..., turns=...)"
        )
    if hasattr(module, "train"):
        raise UserError(f"{module.__file__} has both train() and MODEL: keep one of them")
    return model


@lru_cache(maxsize=16)
def build_model(file: ModelFile) -> Model:
    """Return the model of a file, which is executed once in a process; raise UserError if it has none."""
    module = execute(file)
    model = engine_model_of(module)
    if model is None:
        raise UserError(f"{file.file_name} has no MODEL")
    return model._replace(name=file.name, doc=(module.__doc__ or "").strip())

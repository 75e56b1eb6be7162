"""Interface B: a user's `MODEL = gs.Model(...)`, whose nets and losses the engine trains like those of ours.

It gets what the engine gives: averaged weights, bf16, checkpoints that need no `keep`. The engine also reads keys of
its own, such as batch_size and beta1; if the user's space does not return them, they have defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from trainables.config_schema import Config
from trainables.engine.interface import (
    After,
    Batch,
    Encode,
    Fit,
    Loss,
    Measure,
    Model,
    Nets,
    Noise,
    Reconstruct,
    Schedule,
    Shape,
    Show,
    Turn,
)
from trainables.engine.optimisers import OPTIMISERS
from trainables.errors import UserError, unknown
from trainables.random_streams import Draw
from trainables.user_model.arguments import check_arguments, takes
from trainables.user_model.metrics import SOURCE, metrics_of
from trainables.user_model.model_file import ModelFile, execute

__all__ = ["Batch", "Draw", "build_model", "engine_model_of", "make_model", "make_turn"]

MODEL_ARGUMENTS = ("config", "shape", "n_classes")
AFTER_ARGUMENTS = ("weights", "buffers", "hp", "batch", "noise", "nets")


def make_model(
    nets: Callable[[Config, Shape, int], dict[str, nn.Module]],
    turns: Callable[[Config, Shape], tuple[Turn, ...]],
    *,
    sample: Callable[[Any, Tensor, Tensor], Tensor] | None = None,
    latent: Callable[[Config, Shape], int | tuple[int, ...]] | None = None,
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
        sample: (nets, z, y) -> images [B, C, H, W] in 0..1, from normal noise z [B, Z] and labels y [B].
        latent: (config, shape) -> Z, or a shape if z is [B, *Z]; by default config["latent_dim"].
        measure: (config, shape) -> a function (nets, batch, noise, hp) -> {name: [B]}, and the noise that it needs.
        show: like measure, of images to draw instead of samples; without `sample` it is what `reconstruct` returns.
        encode: (nets, x) -> codes [B, Z].
        reconstruct: (nets, x) -> images [B, C, H, W].
        fit: (nets, images, seed): fits the distribution of `sample` after training.
        averaged: the net whose weights `ema` averages.
        conditional: whether `sample` draws by label.
        check: raises ValueError for values of a configuration that do not go together.
    """
    for name, function, needed in (("nets", nets, 3), ("turns", turns, 2), ("latent", latent, 2)):
        if function is not None:
            check_arguments(name, function, MODEL_ARGUMENTS[:needed])
    return Model(
        name="",
        keys=(),
        nets=nets,
        turns=turns,
        sample=sample,
        latent=latent or _latent_dim,
        measure=measure,
        show=_pairs(reconstruct) if show is None and sample is None and reconstruct is not None else show,
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
    after: Callable[..., dict[str, Tensor]] | None = None,
    clock: bool = False,
    optimiser: str = "adam",
    schedule: Schedule | None = None,
) -> Turn:
    """Return one optimiser's part of a step: it updates `nets` at the rate config[lr], `times` times.

    Args:
        name: ends the names of its columns in rows, as in loss_NAME; "" if there is only one turn.
        nets: names of the nets that it updates.
        lr: the key of its learning rate.
        loss: (nets, batch, noise, hp) -> a scalar, and {name: detached scalar} for the rows. It is pure: random numbers
            come in `noise`, drawn as the `Draw`s say, and numeric keys as 0-d tensors in `hp`.
        times: updates in a step.
        noise: the random numbers of the loss by name.
        after: (weights, buffers, hp, batch, noise) or (weights, buffers, hp, batch, noise, nets) -> the tensors of a
            net that change after an update, by name; called for each of the nets without gradients.
        clock: whether the loss reads hp["epoch"], the epochs done.
        optimiser: adam, adamw, sgd or rmsprop, which read beta1, beta2, momentum and weight_decay.
        schedule: the share of the training's steps done, 0..1 -> what the learning rate is multiplied by; it is pure.
    """
    if optimiser not in OPTIMISERS:
        raise unknown("optimiser", str(optimiser), OPTIMISERS)
    if schedule is not None:
        check_arguments("schedule", schedule, ("share",))
    return Turn(name, nets, lr, times, dict(noise or {}), loss, _with_nets(after), clock, optimiser, schedule)


def _with_nets(after: Callable[..., dict[str, Tensor]] | None) -> After | None:
    """Return `after` as the engine calls it, with `nets`, which a user's may do without."""
    if after is None or takes(after, len(AFTER_ARGUMENTS)):
        return after
    check_arguments("after", after, AFTER_ARGUMENTS[:-1])
    return lambda weights, buffers, hp, batch, noise, nets: after(weights, buffers, hp, batch, noise)


def _pairs(reconstruct: Reconstruct) -> Callable[[Config, Shape], tuple[Show, dict[str, Draw]]]:
    """Return a `show` that draws each image beside its reconstruction."""

    def pairs(nets: Nets, batch: Batch, noise: Noise) -> Tensor:
        return torch.stack([batch.x, reconstruct(nets, batch.x)], 1).flatten(0, 1)

    return lambda config, shape: (pairs, {})


def _latent_dim(config: Config, shape: Shape) -> int:
    return int(config["latent_dim"])


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
    served = [needs for needs, source in SOURCE.items() if getattr(model, source) is not None]
    return model._replace(metrics=metrics_of(module, served))


@lru_cache(maxsize=16)
def build_model(file: ModelFile) -> Model:
    """Return the model of a file, which is executed once in a process; raise UserError if it has none."""
    module = execute(file)
    model = engine_model_of(module)
    if model is None:
        raise UserError(f"{file.file_name} has no MODEL")
    return model._replace(name=file.name, doc=(module.__doc__ or "").strip())

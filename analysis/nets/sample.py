"""Save images that the winner of a finished sweep, or another trial, generates: `gensweep sample`."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from analysis.base import image_sheets
from analysis.nets import rebuild, user_model
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep import ranking
from trainables.errors import UserError, unknown
from trainables.user_model.model import UserModel


def save_samples(
    directory: str | Path, n: int, label: str | None, out: str | Path, trial: int | None = None, seed: int = 0
) -> Path:
    """Generate n images with the winner (or with `trial`), save them as one nearly square PNG, and return its path.

    A conditional model generates class `label` (a name or an index); without a label, it generates each class in turn.

    Raises:
        UserError: the trial does not sample, the label or the trial is unknown, n < 1, or the path cannot be written.
    """
    sweep = results.load(directory)
    model = sweep.manifest.trainable
    if n < 1:
        raise UserError(f"the number of images must be at least 1, not {n}")
    number = ranking.trial_or_winner(sweep, trial)
    labels = _class_labels(sweep, n, label)
    if isinstance(model, UserModel):
        if not model.samples({}):
            raise UserError(f"{model.name}.py names no trial.sampler(): there is nothing to draw")
        pixels = user_model.generate_images(sweep, number, labels, seed, "sample")
        return _write_file(image_sheets.encode_png(image_sheets.make_sheet(pixels, math.ceil(math.sqrt(n)))), Path(out))
    if not model.samples(results.read_trial(sweep, number).config):
        raise UserError(
            f"trial {number} of {model.name} draws nothing from noise, since it has gmm=0: search it with "
            f"`--set gmm=10`, or see what it rebuilds: `gensweep report {directory}`"
        )
    z = rebuild.sample_noise(sweep, number, n, seed, "sample")
    pixels = rebuild.generate_images(sweep, number, z, labels)
    return _write_file(image_sheets.encode_png(image_sheets.make_sheet(pixels, math.ceil(math.sqrt(n)))), Path(out))


def _class_labels(sweep: Sweep, n: int, label: str | None) -> Tensor:
    classes = [str(name) for name in sweep.manifest.data.classes]
    if label is None:
        return torch.arange(n) % max(1, len(classes))
    if not sweep.manifest.trainable.conditional:
        raise UserError(f"{sweep.manifest.model} knows no labels, so --label {label} has no meaning: leave it out")
    if label in classes:
        return torch.full((n,), classes.index(label))
    if label.isdecimal() and int(label) < len(classes):
        return torch.full((n,), int(label))
    raise unknown("label", label, classes)


def _write_file(content: bytes, out: Path) -> Path:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}") from error
    return out

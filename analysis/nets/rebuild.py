"""Draws images from a trial of a finished sweep: rebuilds its nets from the weights of its best evaluated epoch.

`best.safetensors` holds tensors only, so nothing from a results directory is ever unpickled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, nn

from analysis.base import image_sheets
from analysis.base.image_sheets import Pixels
from analysis.read import dataset, results
from analysis.read.results import Sweep
from analysis.sweep import ranking
from trainables import MODELS, random_streams
from trainables.engine import evaluate
from trainables.errors import UserError, unknown
from trainables.images import to_uint8

BATCH = 500


def load_nets(sweep: Sweep, number: int) -> dict[str, nn.Module]:
    """The nets of a trial with the weights of its best evaluated epoch, on the CPU in eval mode; those that
    `best.safetensors` does not hold (a discriminator) are left out. UserError where the file is missing or unfit."""
    name = f"{results.trial_folder(number)}/best.safetensors"
    try:
        weights = load_tensors(sweep.place.read(name))
    except FileNotFoundError as error:
        raise UserError(f"trial {number} of {sweep.place.name!r} has no weights: {name} is missing") from error
    except SafetensorError as error:
        raise UserError(f"{name} of {sweep.place.name!r} is damaged: {error}") from error
    shape, n_classes = tuple(sweep.meta["data"]["shape"]), len(sweep.meta["data"]["classes"])
    kept = {key.partition(".")[0] for key in weights}
    try:
        model = MODELS[sweep.meta["model"]]
        built = model.nets(model.completed(results.read_trial(sweep, number).config), shape, n_classes)
        for net in kept:
            built[net].load_state_dict(_weights_of(weights, net))
    except (KeyError, RuntimeError) as error:  # the model's code has changed since
        wrote = sweep.meta["versions"]["gensweep"]
        raise UserError(f"{name} of {sweep.place.name!r} does not fit these nets; gensweep {wrote} wrote it") from error
    return {net: module.eval().requires_grad_(False) for net, module in built.items() if net in kept}


def generate_images(sweep: Sweep, number: int, z: Tensor, y: Tensor) -> Pixels:
    """What a trial makes of noise z [n, Z] and labels y [n]: uint8 [n, C, H, W]."""
    model, built = MODELS[sweep.meta["model"]], load_nets(sweep, number)
    assert model.sample is not None, f"{model.name} does not sample"
    with torch.no_grad():
        parts = [model.sample(built, z[i : i + BATCH], y[i : i + BATCH]) for i in range(0, len(z), BATCH)]
    pixels: Pixels = to_uint8(torch.cat(parts)).numpy()
    return pixels


def scored_samples(sweep: Sweep, number: int, which: list[int]) -> Pixels:
    """Return some of the samples that a trial was scored by at its best epoch, generated again: uint8 [n, C, H, W].

    Raise UserError if the weights, or the images that give a conditional model its class shares, are not available.
    """
    model, n = MODELS[sweep.meta["model"]], sweep.meta["stamp"]["n_samples"]
    shares = dataset.class_prior(sweep) if model.conditional else [1.0]
    if not shares:
        raise UserError(f"the images of {sweep.place.name!r} ({sweep.meta['dataset']}) are not at hand")
    labels = evaluate.prior_labels(shares, sweep.meta["seed"], n, "cpu")
    chunks = sorted({k // evaluate.CHUNK for k in which})
    config = model.completed(results.read_trial(sweep, number).config)
    with torch.no_grad():
        drawn = evaluate.generate(model, config, load_nets(sweep, number), labels, sweep.meta["seed"], chunks)
        of = {k: to_uint8(x) for k, (x, _) in zip(chunks, drawn, strict=True)}
    return torch.stack([of[k // evaluate.CHUNK][k % evaluate.CHUNK] for k in which]).numpy()


def sample_noise(sweep: Sweep, number: int, n: int, seed: int, *stream: str) -> Tensor:
    """n draws of the trial's z, float [n, Z], from a named stream of `seed`."""
    model = MODELS[sweep.meta["model"]]
    width = model.latent(model.completed(results.read_trial(sweep, number).config))
    return random_streams.draw(random_streams.Draw("normal", (width,)), n, "cpu", seed, *stream)


def save_samples(
    directory: str | Path, n: int, label: str | None, out: str | Path, trial: int | None = None, seed: int = 0
) -> Path:
    """Draws n images of the winner (or of `trial`) and saves them as one PNG, as square as may be; returns its path.

    A conditional model draws class `label` (a name or an index), or without one each class in turn. UserError for a
    model that does not sample, an unknown label or trial, n < 1, or a path that cannot be written.
    """
    sweep = results.load(directory)
    model = MODELS[sweep.meta["model"]]
    if n < 1:
        raise UserError(f"the number of images must be at least 1, not {n}")
    number = trial_or_winner(sweep, trial)
    if not model.samples(model.completed(results.read_trial(sweep, number).config)):
        raise UserError(
            f"trial {number} of {model.name} draws nothing from noise, since it has gmm=0: search it with "
            f"`--set gmm=10`, or see what it rebuilds: `gensweep report {directory}`"
        )
    z = sample_noise(sweep, number, n, seed, "sample")
    pixels = generate_images(sweep, number, z, _class_labels(sweep, n, label))
    return _write_file(image_sheets.encode_png(image_sheets.make_sheet(pixels, math.ceil(math.sqrt(n)))), Path(out))


def _weights_of(weights: Mapping[str, Tensor], net: str) -> dict[str, Tensor]:
    return {key.partition(".")[2]: value for key, value in weights.items() if key.partition(".")[0] == net}


def trial_or_winner(sweep: Sweep, trial: int | None) -> int:
    """The number of a trial, or of the winner; UserError where there is none."""
    if trial is None:
        return ranking.winner(sweep)
    if trial not in sweep.trials["number"].tolist():
        raise UserError(f"no trial {trial} in {sweep.place.name!r}: it has trials 0 to {len(sweep.trials) - 1}")
    return trial


def _class_labels(sweep: Sweep, n: int, label: str | None) -> Tensor:
    classes = [str(name) for name in sweep.meta["data"]["classes"]]
    if label is None:
        return torch.arange(n) % len(classes)
    if not MODELS[sweep.meta["model"]].conditional:
        raise UserError(f"{sweep.meta['model']} knows no labels, so --label {label} has no meaning: leave it out")
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

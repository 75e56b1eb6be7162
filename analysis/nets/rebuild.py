"""Rebuild the nets of a trial from the weights of its best evaluated epoch, and generate images with them.

`best.safetensors` holds tensors only, so nothing from a results directory is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from analysis.base.image_sheets import Pixels
from analysis.nets import user_model
from analysis.nets.weights import read_weights
from analysis.read import dataset, results
from analysis.read.results import Sweep
from trainables import random_streams
from trainables.engine import evaluate
from trainables.errors import UserError
from trainables.images import to_uint8
from trainables.user_model.model import UserModel

BATCH = 500


def load_nets(sweep: Sweep, number: int) -> dict[str, nn.Module]:
    """Return the nets of a trial with the weights of its best evaluated epoch, on the CPU and in eval mode.

    A net that `best.safetensors` does not hold (a discriminator) is left out. Raise UserError if the file is missing,
    is damaged or does not fit the nets.
    """
    name = f"{results.trial_folder(number)}/best.safetensors"
    weights, _ = read_weights(sweep, number)
    shape, n_classes = sweep.manifest.data.shape, len(sweep.manifest.data.classes)
    saved = {key.partition(".")[0] for key in weights}
    try:
        built = sweep.manifest.engine_model.nets(results.read_trial(sweep, number).config, shape, n_classes)
        for net in saved:
            built[net].load_state_dict(_weights_of(weights, net))
    except (KeyError, RuntimeError) as error:  # the code of the model has changed since
        wrote = sweep.manifest.versions["gensweep"]
        raise UserError(f"{name} of {sweep.place.name!r} does not fit these nets; gensweep {wrote} wrote it") from error
    return {net: module.eval().requires_grad_(False) for net, module in built.items() if net in saved}


def generate_images(sweep: Sweep, number: int, z: Tensor, y: Tensor) -> Pixels:
    """Return the images that a trial generates from noise z [n, Z] and labels y [n]: uint8 [n, C, H, W]."""
    model, built = sweep.manifest.engine_model, load_nets(sweep, number)
    assert model.sample is not None, f"{model.name} does not sample"
    with torch.no_grad():
        parts = [model.sample(built, z[i : i + BATCH], y[i : i + BATCH]) for i in range(0, len(z), BATCH)]
    pixels: Pixels = to_uint8(torch.cat(parts)).numpy()
    return pixels


def scored_samples(sweep: Sweep, number: int, which: list[int]) -> Pixels:
    """Return some of the samples that a trial was scored by at its best epoch, generated again: uint8 [n, C, H, W].

    Raise UserError if the weights, or the images that give a conditional model its class shares, are not available.
    """
    model, n = sweep.manifest.trainable, sweep.manifest.stamp["n_samples"]
    shares = dataset.class_prior(sweep) if model.conditional else [1.0]
    if not shares:
        raise UserError(f"the images of {sweep.place.name!r} ({sweep.manifest.dataset}) are not at hand")
    labels = evaluate.prior_labels(shares, sweep.manifest.seed, n, "cpu")
    chunks = sorted({k // evaluate.CHUNK for k in which})
    with torch.no_grad():
        if isinstance(model, UserModel):
            shape, seed = sweep.manifest.data.shape, sweep.manifest.seed
            generated = user_model.load_generator(sweep, number).draw(labels, shape, seed, "judged", chunks)
        else:
            config, nets = results.read_trial(sweep, number).config, load_nets(sweep, number)
            shape, seed = sweep.manifest.data.shape, sweep.manifest.seed
            generated = evaluate.generate(model, config, nets, shape, labels, seed, chunks)
        images = {k: to_uint8(x) for k, (x, _) in zip(chunks, generated, strict=True)}
    return torch.stack([images[k // evaluate.CHUNK][k % evaluate.CHUNK] for k in which]).numpy()


def sample_noise(sweep: Sweep, number: int, n: int, seed: int, *stream: str) -> Tensor:
    """Return n draws of the trial's noise z, float [n, *Z], from a named random stream of `seed`."""
    config, shape = results.read_trial(sweep, number).config, sweep.manifest.data.shape
    spec = random_streams.Draw("normal", sweep.manifest.engine_model.z_shape(config, shape))
    return random_streams.draw(spec, n, "cpu", seed, *stream)


def _weights_of(weights: Mapping[str, Tensor], net: str) -> dict[str, Tensor]:
    return {key.partition(".")[2]: value for key, value in weights.items() if key.partition(".")[0] == net}

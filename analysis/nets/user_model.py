"""Rebuild a user's model from the weights of its best epoch, to draw samples and to measure on the test split.

This executes the file that the user named on the command line, and never the copy in a results directory.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from analysis.base.image_sheets import Pixels
from analysis.nets.weights import read_weights
from analysis.read import dataset, results
from analysis.read.results import Sweep
from trainables import Data
from trainables.data import Dataset
from trainables.data.dataset import without_images
from trainables.images import to_uint8
from trainables.metrics import Evaluator, load_extractor
from trainables.user_model import evaluate
from trainables.user_model.evaluate import UserGenerator
from trainables.user_model.model import UserModel
from trainables.user_model.train import rebuild


def load_generator(sweep: Sweep, number: int, data: Dataset | None = None) -> UserGenerator:
    """Return what draws and measures with the weights of a trial's best epoch, on the CPU.

    Raise UserError if the user has not named the file, or if the weights are missing or do not fit.
    """
    model = sweep.manifest.trainable
    assert isinstance(model, UserModel)
    _ = model.code  # refuse before any file is read
    weights, header = read_weights(sweep, number)
    trial = results.read_trial(sweep, number)
    about = sweep.manifest.data
    empty = without_images(sweep.manifest.dataset, about.classes, about.shape, about.fingerprint)
    images = data if data is not None else dataset.sweep_dataset(sweep) or empty
    return rebuild(
        model, trial.config, Data(images.to("cpu")), trial.seed or 0, weights, json.loads(header.get("kept", "{}"))
    )


def generate_images(sweep: Sweep, number: int, labels: Tensor, seed: int, stream: str) -> Pixels:
    """Return one image for each label [n], uint8 [n, C, H, W], drawn from a named random stream of `seed`."""
    generator, shape = load_generator(sweep, number), sweep.manifest.data.shape
    pixels: Pixels = to_uint8(torch.cat([x for x, _ in generator.draw(labels, shape, seed, stream)])).cpu().numpy()
    return pixels


def scores_on(sweep: Sweep, number: int, data: Dataset, evaluator: Evaluator) -> dict[str, Any]:
    """Return everything that an evaluation measures on `data`, whose `val` may be the test split.

    What `train` logs is measured by itself, and taken from the row of the best epoch.
    """
    model = sweep.manifest.trainable
    assert isinstance(model, UserModel)
    extractor = load_extractor(evaluator, "cpu") if model.samples({}) else None
    generator = load_generator(sweep, number, data)
    scores = evaluate.scores(generator, Data(data, evaluator, extractor), evaluator, last=False, all_own=True)
    best = results.read_trial(sweep, number).best or {}
    return {**{key: best[key] for key in model.facts.logged if key in best}, **scores}

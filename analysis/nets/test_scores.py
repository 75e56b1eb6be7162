"""Measure the scores of one training on the test split, with the weights of the epoch that was best on `val`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from analysis.nets import rebuild, user_model
from analysis.read import dataset, results
from analysis.read.results import Sweep
from trainables import Data
from trainables.data import Dataset
from trainables.engine.evaluate import collect_inputs, generate, prior_labels
from trainables.engine.own_metrics import own_metrics
from trainables.engine.state import start
from trainables.errors import UserError
from trainables.extractor_choice import ExtractorChoice
from trainables.metrics import Evaluator, build_evaluator, load_extractor, measure
from trainables.metrics.extract import run_extractor
from trainables.metrics.fid import Moments, frechet, moments
from trainables.user_model.model import UserModel


def score_on_test(sweep: Sweep, number: int, data: Dataset, evaluator: Evaluator) -> dict[str, Any]:
    """Return everything that an evaluation measures, for a trial of `sweep` on the test split of `data`.

    `evaluator` was built for the test split. Raise UserError if the trial has left no weights.
    """
    on_test = data._replace(val=data.test).to("cpu")  # so that the metrics take the test split as held-out images
    trial = results.read_trial(sweep, number)
    model = sweep.manifest.trainable
    if isinstance(model, UserModel):
        return user_model.scores_on(sweep, number, on_test, evaluator)
    config = trial.config
    extractor = load_extractor(evaluator, "cpu") if model.samples(config) else None
    run = start(model, config, Data(on_test, evaluator, extractor), trial.seed or 0)
    nets = rebuild.load_nets(sweep, number)
    inputs = collect_inputs(run, nets, evaluator)
    return {**measure(inputs, last=False), **own_metrics(run, nets, inputs.images, last=True)}


@lru_cache(maxsize=4)
def _evaluator(name: str, data_dir: str | None, seed: int, choice: ExtractorChoice | None) -> Evaluator:
    data = dataset.load_once(name, data_dir)
    assert data is not None
    return build_evaluator(data, seed=seed, test=True, choice=choice)


@lru_cache(maxsize=4096)
def _fid(directory: str, number: int) -> float:
    sweep = results.load(directory)
    if dataset.sweep_dataset(sweep) is None:
        raise UserError(f"the images of {directory!r} ({sweep.manifest.dataset}) are not at hand")
    manifest = sweep.manifest
    evaluator = _evaluator(manifest.dataset, manifest.data_dir, manifest.seed, manifest.chosen_extractor)
    model, nets = sweep.manifest.engine_model, rebuild.load_nets(sweep, number)
    config = results.read_trial(sweep, number).config
    with torch.no_grad():
        labels = prior_labels(evaluator.class_prior.tolist(), evaluator.seed, evaluator.n_samples, "cpu")
        images = (x for x, _ in generate(model, config, nets, sweep.manifest.data.shape, labels, evaluator.seed))
        features, _ = run_extractor(load_extractor(evaluator, "cpu"), images, evaluator.n_samples)
    return frechet(moments(features), Moments(torch.tensor(evaluator.mean), torch.tensor(evaluator.cov)))


def fid_on_test(sweep: Sweep, number: int) -> float:
    """Return the FID on the test split. It takes a second, which suits the many trainings of a study.

    Raise UserError if the images are not available.
    """
    return _fid(sweep.place.name, number)

"""Published scores of one training: the weights of the epoch that `val` chose, held against the test split."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from analysis.nets import rebuild
from analysis.read import dataset, results
from analysis.read.results import Sweep
from trainables import MODELS, Data
from trainables.data import Dataset
from trainables.engine.evaluate import generate, prior_labels, witness
from trainables.engine.state import start
from trainables.errors import UserError
from trainables.metrics import Judge, build_judge, load_extractor, measure
from trainables.metrics.extract import batched
from trainables.metrics.fid import Moments, frechet, moments


def score(sweep: Sweep, number: int, data: Dataset, judge: Judge) -> dict[str, Any]:
    """Everything that is measured at an evaluation, of a trial of `sweep` on the test split of `data`, whose `judge`
    was built for the test. UserError where the trial has left no weights."""
    one = results.trial(sweep, number)
    model = MODELS[sweep.meta["model"]]
    config = model.completed(one.config)
    extractor = load_extractor(judge, "cpu") if model.samples(config) else None
    seen = data._replace(val=data.test).to("cpu")  # what the metrics call held out is the test split here
    run = start(model, config, Data(seen, judge, extractor), one.seed or 0)
    return dict(measure(witness(run, rebuild.nets(sweep, number), judge), last=False))


@lru_cache(maxsize=4)
def _judge(name: str, data_dir: str | None, seed: int) -> Judge:
    data = dataset.load_once(name, data_dir)
    assert data is not None
    return build_judge(data, seed=seed, test=True)


@lru_cache(maxsize=4096)
def _fid(directory: str, number: int) -> float:
    sweep = results.load(directory)
    if dataset.dataset(sweep) is None:
        raise UserError(f"the images of {directory!r} ({sweep.meta['dataset']}) are not at hand")
    judge = _judge(sweep.meta["dataset"], sweep.meta["data_dir"], sweep.meta["seed"])
    model, nets = MODELS[sweep.meta["model"]], rebuild.nets(sweep, number)
    config = model.completed(results.trial(sweep, number).config)
    with torch.no_grad():
        labels = prior_labels(judge.class_prior.tolist(), judge.seed, judge.n_samples, "cpu")
        images = (x for x, _ in generate(model, config, nets, labels, judge.seed))
        features, _ = batched(load_extractor(judge, "cpu"), images, judge.n_samples)
    return frechet(moments(features), Moments(torch.tensor(judge.mean), torch.tensor(judge.cov)))


def fid(sweep: Sweep, number: int) -> float:
    """FID on the test split alone, which is a second of work: for the many trainings of a study. UserError where the
    images are not at hand."""
    return _fid(sweep.place.name, number)

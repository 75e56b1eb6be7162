"""The published score of one training: the weights of the epoch that `val` chose, held against the test split."""

from __future__ import annotations

from typing import Any

from analysis import runs, sample
from analysis.runs import Sweep
from trainables import MODELS, Data
from trainables.data import Dataset
from trainables.engine.evaluate import witness
from trainables.engine.run import start
from trainables.metrics import Judge, load_extractor, measure


def score(sweep: Sweep, number: int, data: Dataset, judge: Judge) -> dict[str, Any]:
    """Everything that is measured at an evaluation, of a trial of `sweep` on the test split of `data`, whose `judge`
    was built for the test. BadInput where the trial has left no weights."""
    one = runs.trial(sweep, number)
    model = MODELS[sweep.meta["model"]]
    config = model.completed(one.config)
    extractor = load_extractor(judge, "cpu") if model.samples(config) else None
    seen = data._replace(val=data.test).to("cpu")  # what the metrics call held out is the test split here
    run = start(model, config, Data(seen, judge, extractor), one.seed or 0)
    return dict(measure(witness(run, sample.nets(sweep, number), judge), last=False))

"""The trainings by which the findings are calibrated: each fault on purpose, and sound ones, on the embedded digits.

A fault of the data (labels shuffled, a class left out) is put into the training images alone: the evaluator keeps the
true ones. A fault of the code (a sampler that halves the pixels, batch-norm statistics that nobody measures) is put
into the model or the loop. All others are configurations.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from search_spaces import SPACES
from search_spaces.override import apply, default
from trainables import MODELS, Data, Model
from trainables.config_schema import Config
from trainables.data import Dataset, Split, load
from trainables.engine import evaluate, state
from trainables.engine.loop import train
from trainables.metrics import build_evaluator, load_extractor

N_SAMPLES = 1_000
STEPS, EPOCHS = 100, 8


class Case(NamedTuple):
    """Trainings of one configuration that show a fault, or with `finding` "" are sound; one for each seed."""

    finding: str
    model: str
    sets: dict[str, Any]
    seeds: tuple[int, ...]
    epochs: int = EPOCHS
    change: str = ""  # what is changed besides the configuration
    dataset: str = "digits"


class Training(NamedTuple):
    case: Case
    seed: int
    config: Config
    rows: list[dict[str, Any]]


def shuffle_labels(images: Dataset) -> Dataset:
    labels = np.random.default_rng(0).permutation(np.asarray(images.train.labels))
    return images._replace(train=Split(images.train.pixels, labels))


def drop_class(images: Dataset) -> Dataset:
    rows = np.asarray(images.train.labels) != 9
    return images._replace(train=Split(images.train.pixels[rows], images.train.labels[rows]))


def halve_pixels(model: Model) -> Model:
    """Return a model that divides its samples by two: a scale that was undone twice."""
    assert model.sample is not None
    sample = model.sample
    return model._replace(sample=lambda nets, z, y: sample(nets, z, y) / 2)


def draw_outside(model: Model) -> Model:
    """Return a model whose samples are as the net draws them, without the clamp to [0, 1]."""
    return model._replace(sample=lambda nets, z, y: nets["g"](z, y))


DATA_CHANGES = {"labels shuffled": shuffle_labels, "no images of class 9": drop_class}
MODEL_CHANGES = {"samples halved": halve_pixels, "samples not clamped": draw_outside}
STALE, NO_RAMP = "statistics not measured", "average without its ramp"
RAISED = "rates x 50 from half on"


def run(case: Case, seed: int) -> Training:
    """Train one case with one seed; return its rows."""
    torch.set_num_threads(1)
    images = load(case.dataset)
    evaluator = build_evaluator(images, seed=5)._replace(n_samples=N_SAMPLES)
    trained_on = DATA_CHANGES[case.change](images) if case.change in DATA_CHANGES else images
    data = Data(trained_on.to("cpu"), evaluator, load_extractor(evaluator, "cpu"))
    model = MODELS[case.model]
    if case.change in MODEL_CHANGES:
        model = MODEL_CHANGES[case.change](model)
    sets = {"steps_per_epoch": STEPS, **case.sets}
    config = default(apply(SPACES[case.model], {key: str(value) for key, value in sets.items()}, case.epochs))[0]
    with patched(case.change):
        return Training(case, seed, config, _train(model, config, data, seed, case.change == RAISED))


@contextmanager
def patched(change: str) -> Iterator[None]:
    """Take a safeguard of averaged weights out of the training loop, if `change` names one."""
    measure, decay = evaluate._measure_statistics, state.decay
    if change == STALE:
        evaluate._measure_statistics = lambda *_: None
    if change == NO_RAMP:
        state.decay = lambda ema, updates: ema
    try:
        yield
    finally:
        evaluate._measure_statistics, state.decay = measure, decay


def _train(model: Model, config: Config, data: Data, seed: int, raises: bool) -> list[dict[str, Any]]:
    """Return the rows of a training; with `raises` its second half has fifty times the rates."""
    rows = []
    for epoch in train(model, config, data, seed):
        rows.append(epoch.row)
        if raises and 2 * epoch.row["epoch"] == config["epochs"]:
            faster = {**config, "lr_g": 50 * config["lr_g"], "lr_d": 50 * config["lr_d"]}
            return [*rows[:-1], *(later.row for later in train(model, faster, data, seed, epoch.snapshot()))]
    return rows


def trainings(cases: list[Case], kept: Path) -> Iterator[Training]:
    """Yield the trainings of all cases; rows in the file `kept` are read from it, new ones are added to it."""
    known = {}
    if kept.exists():
        for line in kept.read_text().splitlines():
            key, config, rows = json.loads(line)
            known[key] = (config, rows)
    for case in cases:
        for seed in case.seeds:
            key = json.dumps([case._replace(finding="")._asdict() | {"seeds": seed}])
            if key not in known:
                training = run(case, seed)
                known[key] = (training.config, training.rows)
                with kept.open("a") as file:
                    file.write(json.dumps([key, dict(training.config), training.rows]) + "\n")
            yield Training(case, seed, *known[key])

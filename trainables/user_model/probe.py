"""Train a user's model for a few batches, to see before a sweep what its rows will hold and whether they can be made.

The training split is cut to a few batches, and the held-out one to a few images. What would fail in every trial fails
here, in a second or two.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from trainables.data.dataset import Dataset, Split
from trainables.engine.loop import Epoch
from trainables.engine.state import Data, Snapshot
from trainables.errors import UserError
from trainables.user_model import kept
from trainables.user_model.evaluate import UserGenerator, check_range, refuse_what_needs_images
from trainables.user_model.metrics import compute, try_metrics
from trainables.user_model.model import Facts
from trainables.user_model.probed_trial import N_BATCHES, ProbedTrial, not_kept
from trainables.user_model.train import call_train
from trainables.user_model.trial import ReadyToSample, Trial, TrialInfo
from trainables.user_model.user_config import UserConfig

N_HELD_OUT = 64
N_SAMPLES, N_TIMED = 8, 100
SLOW_S = 0.02  # a sample: a hundred would keep a check waiting
NOISE_SEED = 0  # of measures, the same whatever the seed of the training is
BOOKKEEPING = ("epoch", "epochs", "status", "eval_epoch", "updates", "n_images", "wall_s")


class Probe(NamedTuple):
    """What a probe has measured."""

    facts: Facts
    first_row: dict[str, Any]  # of the first epoch: what was logged
    row: dict[str, Any]  # of the last epoch: what was logged and measured
    read: frozenset[str]  # keys of the configuration
    before: dict[str, Any]  # states of the kept objects before the first epoch
    states: dict[str, Any]  # and after the last one
    not_kept: list[str]  # what `train` has that changes in training and is not kept, in words
    measured_twice: dict[str, tuple[float, float]]  # the values of two calls of the model's measure
    measure_with: Callable[[Mapping[str, Any]], dict[str, float]]  # the measures of the last weights, configured so
    n_batches: int
    seconds_before: float  # until the epochs loop
    seconds_per_sample: float
    checkpoint_bytes: int
    best_bytes: int


def cut(data: Dataset, config: Mapping[str, Any], batches: int = N_BATCHES) -> Dataset:
    """Return a data set with a few batches of training images, and a few held-out images."""
    size = config.get("batch_size")
    n = batches * size if isinstance(size, int) else batches * 128
    val, test = _first(data.val, N_HELD_OUT), _first(data.test, N_HELD_OUT)
    return data._replace(train=_first(data.train, n), val=val, test=test)


def _first(split: Split, n: int) -> Split:
    labels = np.asarray(split.labels)[:n]
    if split.planes is not None:
        return Split(np.asarray(split.pixels), labels, np.asarray(split.planes)[:n])
    return Split(np.asarray(split.pixels)[:n], labels)


def probe(
    module: ModuleType,
    config: Mapping[str, Any],
    data: Dataset,
    seed: int = 0,
    epochs: int = 1,
    stops: bool = False,
    resumes: bool = False,
    draws: bool = True,
    times_samples: bool = False,
    batches: int = N_BATCHES,
) -> Probe:
    """Train for some epochs of a few batches, and draw and measure once; without `draws`, draw only if METRICS need it.

    `stops`: after one epoch, whatever `epochs` is; `resumes`: and then go on from its checkpoint.
    Raise UserError if `train` breaks the rules of its interface; an error of the user's own code goes through.
    """
    small, short = Data(cut(data, config, batches).to("cpu")), {**config, "epochs": epochs}
    began = time.perf_counter()
    trial, read, ended = _train(module, short, small, (seed, batches), None, 1 if stops or resumes else epochs)
    if resumes:
        state = torch.load(_saved(ended[-1].snapshot()), weights_only=True)
        trial, read, ended = _train(module, short, small, (seed, batches), state, epochs)
    generator, row = trial.generator(), dict(ended[-1].row)
    if not data.has_images:
        refuse_what_needs_images(generator)
    seconds, samples = 0.0, torch.empty(0)
    if generator.sampler is not None and row["status"] == "ok" and (draws or generator.metrics):
        samples, seconds = _draw(generator, data, seed, N_SAMPLES)
        if times_samples:  # now that it is warm; of a slow sampler a few must do
            seconds = _draw(generator, data, seed, 2 if seconds > SLOW_S else N_TIMED)[1]
    numbers, metrics = try_metrics(generator.metrics, lambda needs: generator.pair(samples, small))
    measured = {**numbers, **generator.measured(small, "val", NOISE_SEED)}
    again = {
        **compute(generator.metrics, lambda needs: generator.pair(samples, small), last=True),
        **generator.measured(small, "val", NOISE_SEED),
    }
    logged = tuple(key for key in row if key not in BOOKKEEPING)
    own_keys = tuple(key for key in measured if not key.endswith("_se"))
    doc = (module.__doc__ or "").strip()
    return Probe(
        Facts(
            generator.sampler is not None,
            generator.sampler is not None and generator.takes_labels,
            logged,
            own_keys,
            doc,
            metrics=metrics,
        ),
        {key: value for key, value in ended[0].row.items() if key not in BOOKKEEPING},
        {**{key: row[key] for key in logged}, **measured},
        frozenset(read.read),
        dict(trial.states_then),
        kept.states(trial.kept_objects),
        not_kept(trial),
        {key: (value, again.get(key, math.nan)) for key, value in measured.items()},
        lambda changed: _measure_with(module, changed, small, seed, trial.kept_objects),
        batches + epochs - 1,
        trial.began_s - began,
        seconds,
        len(_saved(ended[-1].snapshot()).getbuffer()),
        sum(value.nbytes for value in ended[-1].weights().values()),
    )


def _draw(generator: UserGenerator, data: Dataset, seed: int, n: int) -> tuple[Tensor, float]:
    """Return n samples and the seconds that one takes; raise UserError if they are not images."""
    labels, began = torch.arange(n) % max(1, len(data.classes)), time.perf_counter()
    samples = next(generator.draw(labels, data.shape, seed, "judged"))[0]
    seconds = (time.perf_counter() - began) / n
    check_range(samples)
    return samples, seconds


class Start(NamedTuple):
    """How a training begins."""

    states: dict[str, Any]  # of the kept objects before the first epoch
    seconds: float  # until the epochs loop


def probe_start(module: ModuleType, config: Mapping[str, Any], data: Dataset, seed: int) -> Start:
    """Call `train` up to its epochs loop. Raise as `probe` does."""
    began, small = time.perf_counter(), Data(cut(data, config).to("cpu"))
    trial = ProbedTrial(config, small, seed, TrialInfo(), None, None)
    trial.file_name = module.__file__
    with suppress(ReadyToSample):
        call_train(module, UserConfig(config), small, trial)
    return Start(dict(trial.states_then), trial.began_s - began)


class Stop(BaseException):
    """Leaves a user's `train` after an epoch."""


def _train(
    module: ModuleType,
    config: Mapping[str, Any],
    data: Data,
    seed_and_batches: tuple[int, int],
    state: Snapshot | None,
    epochs: int,
) -> tuple[ProbedTrial, UserConfig, list[Epoch]]:
    ended: list[Epoch] = []
    last: list[Epoch] = []
    seed, batches = seed_and_batches

    def emit(epoch: Epoch) -> None:
        ended.append(epoch)
        if epoch.row["epoch"] >= epochs:
            snapshot, weights = epoch.snapshot(), epoch.weights()  # before the user's code goes on
            last[:] = [epoch._replace(snapshot=lambda: snapshot, weights=lambda: weights)]
            if epoch.row["epoch"] < config["epochs"]:
                raise Stop

    trial, read = ProbedTrial(config, data, seed, TrialInfo(), state, emit), UserConfig(config)
    trial.file_name, trial.n_batches = module.__file__, batches
    with suppress(Stop):
        call_train(module, read, data, trial)
    return trial, read, [*ended[:-1], *(last or ended[-1:])]


def _saved(snapshot: Snapshot) -> io.BytesIO:
    buffer = io.BytesIO()
    torch.save(snapshot, buffer)
    buffer.seek(0)
    return buffer


def _measure_with(
    module: ModuleType, config: Mapping[str, Any], data: Data, seed: int, objects: Mapping[str, Any]
) -> dict[str, float]:
    """Return the measures with the weights of `objects` in another configuration; none if they do not fit."""
    trial = Trial({**config, "epochs": 1}, data, seed, TrialInfo(), None, None)
    with suppress(ReadyToSample):
        call_train(module, UserConfig({**config, "epochs": 1}), data, trial)
    try:
        kept.load_weights(trial.kept_objects, kept.weights(objects))
    except UserError:
        return {}
    generator: UserGenerator = trial.generator()
    return generator.measured(data, "val", NOISE_SEED)

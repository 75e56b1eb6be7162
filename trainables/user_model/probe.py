"""Train a user's model for a few batches, to see before a sweep what its rows will hold and whether they can be made.

The training split is cut to a few batches, and the held-out one to a few images. What would fail in every trial fails
here, in a second or two.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from trainables.data.dataset import Dataset, Split
from trainables.engine.loop import Epoch
from trainables.engine.state import Data
from trainables.errors import UserError
from trainables.user_model.model import Facts
from trainables.user_model.random_state import generators_put_back, seed_generators
from trainables.user_model.train import train_function, view
from trainables.user_model.trial import Trial, TrialInfo
from trainables.user_model.user_config import UserConfig

N_BATCHES = 3
N_HELD_OUT = 64
N_SAMPLES = 8
OUT_OF_RANGE = 0.05  # samples further outside of 0..1 than this are in another range


class Probe(NamedTuple):
    """What a probe has measured. `read` are the keys of the configuration that were read."""

    facts: Facts
    row: dict[str, Any]  # of the last epoch, with the measured values
    samples: Tensor | None  # float [N_SAMPLES, C, H, W]
    read: frozenset[str]
    states: dict[str, Any]  # the states of the kept objects after the last epoch
    checkpoint_bytes: int
    best_bytes: int


def cut(data: Dataset, config: Mapping[str, Any]) -> Dataset:
    """Return a data set with a few batches of training images, and a few held-out images."""
    size = config.get("batch_size")
    n = N_BATCHES * size if isinstance(size, int) else N_BATCHES * 128
    return data._replace(
        train=_first(data.train, n), val=_first(data.val, N_HELD_OUT), test=_first(data.test, N_HELD_OUT)
    )


def _first(split: Split, n: int) -> Split:
    labels = np.asarray(split.labels)[:n]
    if split.planes is not None:
        return Split(np.asarray(split.pixels), labels, np.asarray(split.planes)[:n])
    return Split(np.asarray(split.pixels)[:n], labels)


def probe(module: ModuleType, config: Mapping[str, Any], data: Dataset, seed: int = 0, epochs: int = 1) -> Probe:
    """Train for some epochs of a few batches, and draw and measure once.

    Raise UserError if `train` breaks the rules of its interface; an error of the user's own code goes through.
    """
    small = Data(cut(data, config).to("cpu"))
    short = {**config, "epochs": epochs}
    ended: list[Epoch] = []
    trial = Trial(short, small, seed, TrialInfo(), None, ended.append)
    read = UserConfig(short)
    with generators_put_back():
        seed_generators(seed, "init")
        train_function(module)(read, view(small, trial), trial)
        trial.finish()
    generator, row = trial.generator(), dict(ended[-1].row)
    measured = generator.measured(small, "val", seed)
    samples = None
    if generator.sampler is not None:
        labels = torch.arange(N_SAMPLES) % max(1, len(data.classes))
        samples = next(generator.draw(labels, data.shape, seed, "judged"))[0]
        check_range(samples)
    logged = tuple(key for key in row if key not in BOOKKEEPING)
    snapshot, best = ended[-1].snapshot(), ended[-1].weights()
    buffer = io.BytesIO()
    torch.save(snapshot, buffer)
    return Probe(
        Facts(
            samples is not None,
            generator.sampler is not None and generator.takes_labels,
            logged,
            tuple(measured),
            (module.__doc__ or "").strip(),
        ),
        {**row, **measured},
        samples,
        frozenset(read.read),
        snapshot["kept"],
        buffer.tell(),
        sum(value.nbytes for value in best.values()),
    )


BOOKKEEPING = ("epoch", "epochs", "status", "eval_epoch", "updates", "n_images", "wall_s")


def check_range(x: Tensor) -> None:
    """Raise UserError if samples are not finite, or clearly not in 0..1."""
    broken = float((~x.isfinite()).double().mean())
    if broken:
        raise UserError(f"{broken:.0%} of the values of sampler({len(x)}) are nan or infinite")
    low, high = float(x.min()), float(x.max())
    if low < -OUT_OF_RANGE or high > 1 + OUT_OF_RANGE:
        cure = "return (x + 1) / 2" if low < -OUT_OF_RANGE and high <= 1 + OUT_OF_RANGE else "return x.clamp(0, 1)"
        raise UserError(f"samples lie in {low:.2f}..{high:.2f}, and images in 0..1: {cure}")

"""Grids of samples by their pixels."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import sweeps
from sklearn.datasets import load_digits

from analysis.figures import (
    sample_grids,
)
from analysis.read import results
from analysis.read.results import Sweep
from trainables.data import load


@pytest.fixture(scope="module")
def sweep(made: Path) -> Sweep:
    return results.load(made)


def digits(first: int) -> Any:
    return (load_digits().images[first : first + 10] * (255 / 16)).astype(np.uint8)[:, None]


def test_sample_grids__real_images_then_the_best(sweep: Sweep) -> None:
    strips = sample_grids.compare_configurations(sweep, 2)
    assert [strip.title.split(" ·")[0] for strip in strips] == ["Real images", "Trial 1", "Trial 0"]
    assert (strips[0].images == np.asarray(load("digits").val.pixels)[:10]).all()
    assert (strips[1].images == digits(1 * 64 + 4)).all()  # as sweeps.py wrote for trial 1, epoch 4
    assert strips[1].detail == "lr 0.003, batch_size 64, likelihood bernoulli"


def test_sample_grids__first_best_and_last_epoch(sweep: Sweep) -> None:
    assert [strip.title for strip in sample_grids.first_to_last(sweep, 1)] == [
        "Epoch 1, the first · FID 50", "Epoch 4, the best · FID 12.5", "Epoch 5, the last · FID 14",
    ]  # fmt: skip
    assert [strip.title for strip in sample_grids.first_to_last(sweep, 2)][-1] == "Epoch 2, the best and last · FID 20"


@pytest.mark.long
def test_sample_grids__autoencoder_inputs_and_outputs(made: Path, tmp_path: Path) -> None:
    strips = sample_grids.compare_configurations(results.load(sweeps.make(tmp_path / "ae", model="ae")), 1)
    whole = np.concatenate([digits(68), digits(78)])
    assert [strip.title.split(" ·")[0] for strip in strips] == ["Real images", "Input", "Trial 1"]
    assert (strips[1].images == whole[0::2]).all()
    assert (strips[2].images == whole[1::2]).all()


def test_sample_grids__lost_picture_drawn_again(made: Path, tmp_path: Path) -> None:
    own = results.load(shutil.copytree(made, tmp_path / "own"))
    (tmp_path / "own" / "trials" / "0001" / "samples" / "epoch_0004.png").unlink()
    drawn = sample_grids.saved_batch(own, 1, 4)
    assert drawn.shape == (80, 1, 8, 8)
    assert (drawn == sample_grids.saved_batch(own, 1, 4)).all()

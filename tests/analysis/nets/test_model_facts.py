"""What analysis does with a model follows from its Model entry, not from its name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import sweeps

from analysis.figures import sample_grids
from analysis.nets import autoencoder_samples, codes, reconstruct
from analysis.read import manifest, results
from analysis.read.results import Sweep
from analysis.report import sweep_page
from analysis.study.figures import sample_grid
from analysis.study.study_results import Arm
from trainables import MODELS

pytestmark = pytest.mark.long


@pytest.fixture
def autoencoders(tmp_path: Path) -> Sweep:
    return results.load(sweeps.make(tmp_path / "ae", model="ae"))


def change(monkeypatch: pytest.MonkeyPatch, name: str, **facts: Any) -> None:
    """Let a sweep of this name's model have a model with other facts."""
    monkeypatch.setattr(manifest, "MODELS", {**MODELS, name: MODELS[name]._replace(**facts)})


def test_arm_grid_leaves_out_the_inputs(autoencoders: Sweep) -> None:
    """Every autoencoder can sample since it may have a mixture, so that says nothing about its grids."""
    trial = results.read_trial(autoencoders, 1)
    epoch = trial.rows[-1]["epoch"]
    drawn = sample_grid.generated_images(Arm("ae", "", autoencoders, [trial], 0, 0), 0, epoch)
    assert np.array_equal(drawn, sample_grids.saved_batch(autoencoders, 1, epoch)[1::2])


def test_reconstructions_are_the_models_own(autoencoders: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, "ae", reconstruct=lambda nets, x: 1 - x)
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(reconstruct.reconstruct(autoencoders, 1, x), 1 - x)


def test_page_says_pairs_if_the_model_shows_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, "vae", show=MODELS["ae"].show)
    caption = sweep_page._picture_caption(results.load(sweeps.make(tmp_path / "vae")))
    assert caption == "Held-out images in pairs: what the model saw, and what it made of it."


def test_codes_are_drawn_from_the_prior_if_trained_towards_it(
    autoencoders: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = type("Codes", (), {"z": np.random.default_rng(0).normal(3.0, 1.0, (50, 2))})()
    monkeypatch.setattr(codes, "encode_held_out", lambda sweep, number: encoded)
    assert not torch.equal(autoencoder_samples._prior(autoencoders, 1, False)[0], torch.zeros(2))
    change(monkeypatch, "ae", normal_codes=True)
    assert torch.equal(autoencoder_samples._prior(autoencoders, 1, False)[0], torch.zeros(2))

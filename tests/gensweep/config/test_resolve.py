"""What options become: the resolved sweep that is stored."""

import json
from dataclasses import replace
from typing import Any

import pytest

from analysis.read.manifest import SweepManifest
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.errors import UserError
from gensweep.sweep.evaluation import evaluation_schedule
from gensweep.sweep.run_sweep import search_space
from search_spaces import SPACES
from search_spaces.override import default
from search_spaces.param import Param
from search_spaces.walk import describe


def resolved(**options: Any) -> SweepManifest:
    return make_manifest(Options("vae", **options), ["gensweep", "run", "vae"])


def test_resolve__plain_and_complete() -> None:
    manifest = resolved(epochs=6, trials=7, seed=5, set={"latent_dim": "2"})
    assert manifest == SweepManifest.from_json(json.loads(json.dumps(manifest.to_json())))
    assert (manifest.name, manifest.epochs, manifest.trials, manifest.seed) == ("vae-digits", 6, 7, 5)
    assert manifest.space["epochs"] == replace(describe(SPACES["vae"])["epochs"], value=6)
    assert manifest.space["latent_dim"] == Param("fixed", value=2)
    assert manifest.defaults["epochs"] == 6
    assert manifest.goal.primary == ("fid", "min")
    assert set(manifest.versions) == {"gensweep", "python", "torch", "ray", "optuna"}


def test_resolve__precision_is_a_key() -> None:
    assert resolved(precision="bf16").space["precision"] == Param("fixed", value="bf16")


def test_resolve__grid_needs_values() -> None:
    with pytest.raises(UserError, match="a grid needs values for beta, latent_dim, lr"):
        resolved(trials=4, sampler="grid")
    pinned = {"beta": "1", "latent_dim": "8", "lr": "1e-3,1e-4", "width": "128", "epochs": "1", "batch_size": "64"}
    manifest = make_manifest(
        Options("vae", sampler="grid", trials=50, set={**pinned, "likelihood": "bernoulli"}), ["gensweep"]
    )
    assert manifest.trials == 3


def test_resolve__other_start_and_objective() -> None:
    about: dict[str, Any] = {"start": {"lr": 5e-4, "epochs": 30}, "objective": ("modes", "max"), "every": 7}
    asked = Options("vae", epochs=30, train_images=500, **about)
    manifest = make_manifest(asked, [])
    assert (manifest.defaults["lr"], manifest.defaults["epochs"], manifest.defaults["width"]) == (5e-4, 30, 400)
    assert manifest.goal.primary == ("modes", "max")
    assert evaluation_schedule(manifest)["every"] == 7
    assert evaluation_schedule(manifest._replace(every=None))["every"] == 3
    space = search_space(manifest._replace(set={}))
    assert default(space)[0] == manifest.defaults
    assert space.objective == ("modes", "max")

"""Configurations to try first: typed ones, and the best of an earlier sweep."""

from pathlib import Path
from typing import Any

import pytest
from helpers import sweeps
from helpers.manifests import SMALL as SMALL_MANIFEST

from analysis.read.manifest import SweepManifest
from gensweep.config import initial_points
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.errors import UserError
from gensweep.search.study_storage import open_study
from gensweep.sweep.run_sweep import search_space
from search_spaces import SPACES

VAE = SPACES["vae"]


GOAL = SMALL_MANIFEST.goal


def _sheet(**options: Any) -> SweepManifest:
    return make_manifest(Options("vae", trials=4, **options), ["gensweep"])


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"lrr": 1e-3}, "unknown key 'lrr': did you mean 'lr'"),
        ({"lr": 1.0}, r"lr=1.0 lies outside what is searched: 1e-05 to 0.01 \(log\)"),
        ({"batch_size": 65}, "batch_size=65 lies outside what is searched: 64, 128, 256"),
        ({"sigma": 0.1}, "no trial reads 'sigma' with its other values"),
        ({"net": "conv"}, "net is fixed at mlp"),
    ],
)
def test_initial_points__refused(point: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        initial_points.check_point(VAE, point)


def test_initial_points__after_the_defaults(tmp_path: Path) -> None:
    assert initial_points.parse_point("lr=5e-4, likelihood=gaussian,sigma=0.1") == {
        "lr": 5e-4,
        "likelihood": "gaussian",
        "sigma": 0.1,
    }
    manifest = _sheet(points=[initial_points.parse_point("lr=5e-4,likelihood=gaussian,sigma=0.1")])
    with open_study(tmp_path, manifest, {"lr": 1e-3}) as study:
        first, second = study.ask(), study.ask()
        search_space(manifest).space(first)
        config = search_space(manifest).space(second)
    assert first.params["lr"] == 1e-3
    assert (config["lr"], config["likelihood"], config["sigma"]) == (5e-4, "gaussian", 0.1)
    with pytest.raises(UserError, match="4 points and the defaults need at least 5 trials"):
        _sheet(points=[{"lr": 1e-3 * k} for k in (1, 2, 3, 4)])


def test_warm_from__takes_what_fits(tmp_path: Path) -> None:
    made = sweeps.make(tmp_path / "s")
    common = {"beta": 1.0}  # its latent_dim 2 and width 32 are outside, and trial 2 is short of a sigma
    assert initial_points.points_from_sweep(VAE, str(made), GOAL) == [
        {"likelihood": "bernoulli", "lr": 3e-3, "batch_size": 64, **common},
        {"likelihood": "bernoulli", "lr": 1e-3, "batch_size": 128, **common},
        {"likelihood": "gaussian", "lr": 1e-4, "batch_size": 256, **common},
    ]
    with pytest.raises(UserError, match="nothing of its best configurations lies in this space"):
        initial_points.points_from_sweep(
            SPACES["ae"]._replace(space=lambda trial: {"net": trial.suggest_categorical("net", ("conv",))}),
            str(made),
            GOAL,
        )

"""The boundary check: where the best point lies at an edge, and the range that would tell."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import sweeps

from analysis.read import results
from analysis.sweep import boundary
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.search.extend import extend_manifest
from search_spaces.param import Param

LOG = Param("float", 1e-4, 1e-2, log=True)
LINEAR = Param("float", 0.0, 0.9)
WHOLE = Param("int", 8, 64, log=True)
FEW = Param("int", 4, 10)
CHOICES = Param("categorical", choices=(64, 128, 256))


@pytest.mark.parametrize(
    ("key", "param", "values", "found"),
    [
        ("lr", LOG, [1.2e-4], ("lower", "1e-05:0.01:log")),
        ("lr", LOG, [1e-3], None),
        ("lr", LOG, [8.1e-3], ("upper", "0.0001:0.1:log")),
        ("beta1", LINEAR, [0.88], ("upper", "0:0.95")),  # half-way to what a decay may be
        ("beta1", LINEAR, [0.0], None),  # nothing lies below
        ("latent_dim", WHOLE, [64], ("upper", "8:181:log")),
        ("latent_dim", replace(WHOLE, low=1), [1], None),
        ("epochs", FEW, [10, 10, 9, 10, 10], ("upper", "4:13")),
        ("epochs", FEW, [10, 9, 8, 10, 10], None),  # the best ones disagree
        ("epochs", FEW, [10, 10], None),  # too few to agree
        ("d_steps", replace(FEW, low=1, high=2), [2] * 5, None),  # of two values each is an edge
        ("batch_size", CHOICES, [256, 256, 128, 256, 256], ("upper", "64,128,256,512")),
        ("mine", LOG, [1.2e-4], ("lower", "1e-05:0.01:log")),  # keys of a user's own have no limits
        ("mask_ratio", Param("float", 0.4, 0.9), [0.89], ("upper", "0.4:0.95")),  # it may be a share
        ("dropout", LINEAR, [0.0], None),
        ("weight", Param("float", 0.5, 2.0), [1.99], ("upper", "0.5:2.75")),
        ("mine", CHOICES, [256] * 5, ("upper", "64,128,256,512")),
        ("mine", replace(CHOICES, choices=(0.5, 1.0, 2.0)), [2.0] * 5, ("upper", "0.5,1,2,4")),
        ("batch_size", CHOICES, [64] * 5, ("lower", "32,64,128,256")),
        ("batch_size", CHOICES, [128] * 5, None),
        ("ema", Param("categorical", choices=(0.0, 0.99, 0.999)), [0.999] * 5, None),
        ("likelihood", Param("categorical", choices=("bernoulli", "gaussian")), ["gaussian"] * 5, None),
    ],
)
def test_boundary__advised_range(key: str, param: Param, values: list[Any], found: tuple[str, str] | None) -> None:
    one = boundary.find_edge(key, param, values)
    assert (None if one is None else (one.side, one.wider)) == found


def test_boundary__extend_accepts_the_advice() -> None:
    manifest = make_manifest(Options("gan", trials=8), [])
    searched = {key: param for key, param in manifest.space.items() if param.searched}
    found = [boundary.find_edge(key, param, [param.ends()[-1]] * 5) for key, param in searched.items()]
    wider = {one.key: one.wider for one in found if one is not None}
    assert set(wider) == {"lr_g", "lr_d", "beta1", "d_steps", "latent_dim"}
    longer, _ = extend_manifest(manifest, 4, wider)
    assert longer.space["lr_g"].high == pytest.approx(0.112)
    assert longer.space["d_steps"].choices == (1, 2, 5, 13)


def test_boundary__command(tmp_path: Path) -> None:
    sweep = results.load(sweeps.make(tmp_path / "s"))
    assert boundary.winner_edges(sweep) == []
    assert "inside every range" in boundary.describe_edges(sweep, [])
    space = sweep.manifest.space | {"lr": replace(sweep.manifest.space["lr"], high=3e-3)}
    narrow = sweep._replace(manifest=sweep.manifest._replace(space=space))
    found = boundary.winner_edges(narrow)
    assert "the upper edge of lr," in boundary.describe_edges(narrow, found)
    command = " ".join(boundary.extend_command(narrow, found))
    assert command == f"gensweep extend {narrow.place.name} --trials 4 --set lr=0.0001:0.0164:log"

"""Objectives and constraints as they are typed, and which of them cannot be."""

from pathlib import Path
from typing import Any

import pytest
from helpers.command_line import refused
from helpers.manifests import SMALL
from helpers.searching import TWO

from analysis.read.manifest import SweepManifest
from gensweep.cli.dry_run import format_manifest
from gensweep.config import initial_points
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from search_spaces import SPACES
from trainables.objective import Goal, Objective, constraint


def test_constraint__parse_and_format() -> None:
    assert str(constraint(" modes >= 7 ")) == "modes>=7"
    assert constraint("duplicates<=0.5").excess({"duplicates": 0.75}) == 0.25
    assert constraint("modes>=7").excess({"modes": 7.0}) == 0
    assert str(constraint("kid<=1.2345678901e-05")) == "kid<=1.2345678901e-05"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("vae --objective fdi:min", "unknown metric 'fdi': did you mean 'fid'"),
        ("vae --objective fid:min,fid:max", "objective fid is given twice"),
        ("vae --objective fid --objective fid", "objective fid is given twice"),
        ("vae --objective fid:lower", "the direction is min or max"),
        ("vae --objective fid:max", "lower is better: write fid:min"),
        ("vae --objective sharpness", "say which way, sharpness:min or sharpness:max"),
        ("vae --objective fid:min,", "write metric:min or metric:max"),
        ("vae --objective class_shares:max", "unknown metric 'class_shares'"),
        ("vae --objective accuracy", "metric accuracy needs labels to draw by, and vae trials of this space have none"),
        ("gan --objective silhouette", "needs codes"),
        ("ae --objective recon_mse,fid", "metric fid needs samples"),
        ("cgan --objective cas", "measured on request only"),
        ("vae --objective nll", "needs a likelihood of binary images (--set likelihood=bernoulli)"),
        (
            "vae --objective nll --set likelihood=bernoulli",
            "at a trial's last epoch only, so asha cannot",
        ),
        ("vae --objective fid,precision --primary recall", "unknown primary objective 'recall'"),
        ("vae --objective fid,precision --sampler cmaes", "cmaes takes one objective and no constraints"),
        ("vae --constraint modes>=7 --sampler cmaes", "cmaes takes one objective and no constraints"),
        ("vae --constraint modes", 'write "key>=number" or "key<=number", in quotes'),
        ("vae --constraint modes>7", 'write "key>=number"'),
        ("vae --constraint modes>=seven", 'write "key>=number"'),
        ("vae --constraint modes>=nan", 'write "key>=number"'),
        ("vae --constraint mods>=7", "did you mean 'modes'"),
        ("vae --constraint modes>=7 --constraint modes>=8", "modes>= is given twice"),
        ("vae --constraint modes>=7 --constraint modes<=6", "nothing can keep both"),
    ],
)
def test_objectives__refused(
    words: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in refused(capsys, "run", *words.split())


def resolved(**options: Any) -> dict[str, Any]:
    """The content of sweep.json."""
    return make_manifest(Options("vae", **options), ["gensweep"]).to_json()


def test_objectives__spellings_are_equal() -> None:
    text = resolved(objective="fid,precision:max", constraints=["modes >= 7", "sharpness<=1.5"])
    assert text["objectives"] == TWO
    assert text["objective"] == TWO[0]
    assert text["constraints"] == ["modes>=7", "sharpness<=1.5"]
    assert resolved(objective={"fid": "min", "precision": "max"})["objectives"] == TWO
    assert resolved(objective=("fid", "min"))["objectives"] == resolved()["objectives"] == TWO[:1]
    assert resolved(objective="nll", scheduler="none", set={"likelihood": "bernoulli"})["objective"] == {
        "metric": "nll",
        "mode": "min",
    }


def test_objectives__primary_in_the_dry_run() -> None:
    about = resolved(objective="fid,precision", primary="precision", constraints=["modes>=7"])
    assert (about["objective"], about["objectives"]) == (TWO[1], TWO)
    said = format_manifest(Path("x"), SweepManifest.from_json(about))
    for line in ("fid, lower is better; precision, higher is better", "precision: early stopping", "modes>=7"):
        assert line in said


def test_objectives__budget_in_the_dry_run() -> None:
    manifest = SweepManifest.from_json(resolved(set={"batch_size": "64,128"}))._replace(data=SMALL.data)
    text = format_manifest(Path("x"), manifest)
    assert "tpe; asha from epoch 1 on, factor 3, never trial 0 (the defaults);" in text
    assert "--set steps_per_epoch=9 gives all trials equal updates." in text
    pointed = format_manifest(Path("x"), manifest._replace(points=[{"lr": 1e-3}]))
    assert "asha from epoch 1 on, factor 3, never the first 2 trials (the defaults and the points);" in pointed


def test_warm_from__needs_same_objectives(tmp_path: Path) -> None:
    from helpers import sweeps

    made = sweeps.make(tmp_path / "s")
    several = tuple(Objective(**about) for about in TWO)
    with pytest.raises(ValueError, match="it looked for fid:min, this sweep looks for fid:min, precision:max"):
        initial_points.points_from_sweep(SPACES["vae"], str(made), Goal(several[0], several))

"""`--extractor`: refusals before anything is written, what a manifest records, and a sweep that uses one."""

import json
from pathlib import Path

import pytest
import torch
from helpers import sweeps
from helpers.command_line import done, gensweep, refused, written
from torchvision import models

from analysis.read import results
from analysis.sweep import commands
from gensweep.cli.main import main
from gensweep.config import save_file, sweep_yaml
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.sweep.run_sweep import read_manifest

pytestmark = pytest.mark.usefixtures("at_home")
NET = "shufflenet_v2_x0_5"


@pytest.fixture
def weights() -> Path:
    path = Path("weights.pth")
    torch.save(models.get_model(NET, weights=None).state_dict(), path)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("incepton:w.pth", "unknown extractor 'incepton:w.pth'"),
        ("torchvision:resnet18", "write torchvision:resnet18:FILE"),
        ("inception:none.pth", "does not exist"),
        ("", "extractor is empty"),
    ],
)
def test_extractor__refused(capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    assert message in refused(capsys, "run", "vae", "--extractor", text)


def test_extractor__weights_of_another_net(capsys: pytest.CaptureFixture[str], weights: Path) -> None:
    error = refused(capsys, "run", "vae", "--extractor", f"torchvision:resnet18:{weights}")
    assert f"{weights.resolve()} is not a state_dict of resnet18: it lacks conv1.weight and" in error
    torch.save(models.get_model(NET, weights=None), weights)
    error = refused(capsys, "run", "vae", "--extractor", f"torchvision:{NET}:{weights}")
    assert "holds pickled objects, which would be executed" in error


def test_extractor__resume_refuses_other_weights(capsys: pytest.CaptureFixture[str], weights: Path) -> None:
    directory = written(Path(), extractor=f"torchvision:{NET}:{weights}")
    recorded = json.loads((directory / "sweep.json").read_text())["extractor"]
    assert (recorded["net"], recorded["path"]) == (NET, str(weights.resolve()))
    assert len(recorded["sha256"]) == 64
    torch.save({"other": torch.zeros(1)}, weights)
    error = refused(capsys, "resume", str(directory))
    assert f"{weights.resolve()} is not the file of weights that {directory} began with: its sha256 is" in error
    weights.unlink()
    assert f"{weights.resolve()} does not exist" in refused(capsys, "resume", str(directory))
    assert "holds another sweep: extractor (net, path, sha256)" in refused(
        capsys, "run", "vae", "--extractor", "random"
    )


def test_extractor__in_a_file_and_in_commands(weights: Path) -> None:
    text = f"torchvision:{NET}:{weights.resolve()}"
    manifest = make_manifest(Options("vae", extractor=text), ["gensweep"])
    assert f"extractor: {text}" in save_file.written(manifest)
    Path("options.yaml").write_text(f"extractor: {text}\n")
    assert sweep_yaml.read("options.yaml", "vae").options["extractor"] == text
    old = {key: value for key, value in manifest.to_json().items() if key != "extractor"}
    assert type(manifest).from_json(old).chosen_extractor is None


@pytest.mark.ray
@pytest.mark.slow
def test_extractor__random_through_a_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--trials", "1", "--epochs", "1", "--set", "net=mlp", "--set", "width=16", "--scheduler", "none"]
    code, _, err = done(gensweep("run", "vae", *words, "--extractor", "random", "--name", "random", cwd=Path()))
    assert (code, err) == (0, "")
    stamp = read_manifest(Path("results/random")).stamp
    assert stamp["extractor"].startswith("random-")
    row = results.read_trial(results.load("results/random"), 0).rows[-1]
    assert row["fid"] > 0
    assert 1 <= row["modes"] <= 10
    sweeps.make(Path("results/default"))
    assert main(["compare", "results/default", "results/random"]) == 2
    assert "extractor" in capsys.readouterr().err
    assert "--extractor random" in " ".join(commands.control_command(results.load("results/random")))

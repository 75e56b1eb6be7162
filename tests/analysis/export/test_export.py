"""The exported winner: its file draws what the net draws, and loads where there is only torch and safetensors."""

import json
import re
import shutil
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from helpers import sweeps
from helpers.command_line import refused
from helpers.finalists import NOISE, told
from packaging.requirements import Requirement
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from analysis.base.templates import load_template
from analysis.export import export_folder, torch_source
from analysis.nets import rebuild
from analysis.read import results
from gensweep.cli.main import main
from search_spaces import SPACES
from search_spaces.override import apply, default
from trainables import MODELS, ae
from trainables.errors import UserError

pytestmark = pytest.mark.usefixtures("at_home")

NEEDED = ("torch", "safetensors")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweeps.make(tmp_path_factory.mktemp("made") / "s")


@pytest.fixture
def sweep(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "s"))


def exported(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """The three lines that it prints."""
    assert main(["export", *words]) == 0
    return [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("    ")]


@pytest.mark.parametrize("net", ["mlp", "conv"])
@pytest.mark.parametrize("name", list(MODELS))
def test_export__every_model_as_a_file(name: str, net: str) -> None:
    pins = {"net": net, "width": "8", **({"gmm": "3"} if "gmm" in MODELS[name].keys else {})}
    model, config = MODELS[name], default(apply(SPACES[name], pins))[0]
    nets = {key: each.eval() for key, each in model.nets(config, (1, 8, 8), 10).items()}
    assert model.sample is not None
    alone = torch_source.trace_to_source(nets, model.sample)
    assert len(alone.inputs) == 1 + model.conditional
    assert not any("encoder" in key or key.startswith("d_") for key in alone.weights)
    torch.manual_seed(0)
    z, y = torch.randn(7, *model.z_shape(config, (1, 8, 8))), torch.arange(7)
    about: dict[str, Any] = dict.fromkeys(("title", "about", "shapes"), "a net") | {"version": "0"}
    about |= {"classes": ["a"] * 10, "conditional": model.conditional, "z_shape": list(z.shape[1:]), "shape": (1, 8, 8)}
    source = load_template("model.py.txt").render(net=alone, **about)
    inputs = [z, y][: len(alone.inputs)]
    with torch.no_grad():
        images = model.sample(nets, z, y)
        torch_source.check_source(source, alone.weights, inputs, images)
        with pytest.raises(UserError, match="other images"):
            torch_source.check_source(source, alone.weights, inputs, images + 0.01)


def test_export__unsupported_net_refused() -> None:
    def branches(nets: Any, x: Tensor, y: Tensor) -> Tensor:
        return nets["f"](x) if x.sum() > 0 else x

    with pytest.raises(UserError, match="cannot be written as a file"):
        torch_source.trace_to_source({"f": nn.Linear(2, 2)}, branches)
    with pytest.raises(UserError, match="TransformerEncoderLayer is not a plain layer"):
        torch_source.trace_to_source({"f": nn.TransformerEncoderLayer(8, 2)}, lambda nets, x, y: nets["f"](x))


@pytest.mark.long
def test_export__winner_of_a_search(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = exported(capsys, str(sweep))
    assert lines[:2] == ["from model import load", "net = load()"]
    folder = sweep / "export"
    assert {path.name for path in folder.iterdir()} == {*export_folder.FILES, "sweep.yaml"}
    card = (folder / "README.md").read_text()
    assert card.splitlines()[5] == "# vae on digits: trial 1 of s"
    assert "Variational autoencoder (Kingma & Welling 2014" in card
    assert "**Scores of the search**, on `val`: the best of 4 trials, trained once, so they are optimistic." in card
    assert "| FID | 12.5 | lower |" in card
    assert "| `lr` | 0.003 | 0.001 | 0.0001 to 0.01 (log) |" in card
    assert "Stamp of val: extractor digits-abc, n_samples 5000" in card
    assert re.findall(r"```python\n(.*?)```", card, re.DOTALL) == ["\n".join(lines) + "\n"]
    about = json.loads((folder / "config.json").read_text())
    assert (about["trial"], about["seed"], about["epoch"], about["test"]) == (1, 101, 4, None)
    assert about["config"]["lr"] == 0.003
    with Image.open(folder / "samples.png") as picture:
        assert picture.width > 80
    assert set(load_file(folder / "model.safetensors")) == {
        f"decoder_{k}.{x}" for k in (0, 2) for x in ("weight", "bias")
    }
    assert yaml.safe_load((folder / "sweep.yaml").read_text())["run_cap"] == 4
    assert exported(capsys, str(sweep), "--trial", "2", "-o", "two")  # again, and elsewhere
    assert json.loads(Path("two/config.json").read_text())["trial"] == 2


def fresh(folder: Path) -> Path:
    """A folder with what `pip install torch safetensors` would put there, linked from this environment."""
    names, found = list(NEEDED), set()
    while names:
        name = names.pop()
        if name in found:
            continue
        found.add(name)
        package = metadata.distribution(name)
        for line in package.requires or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                names.append(need.name)
        for top in {file.parts[0] for file in package.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            if not (folder / top).exists():
                (folder / top).symlink_to(str(package.locate_file(top)))
    return folder


def run_lines(lines: list[str], folder: Path, *python: str) -> str:
    """What the lines print at the end when they are run in a folder by a Python that has nothing of ours."""
    ours = "{'gensweep', 'trainables', 'analysis'} & set(sys.modules)"
    seen = f"import sys; print(tuple(images.shape), *({ours}), float(images.sum()))"
    code = "\n".join([*lines, seen])
    done = subprocess.run([*python, "-c", code], cwd=folder, capture_output=True, text=True, check=True, timeout=300)
    return done.stdout.strip()


@pytest.mark.long
def test_export__readme_runs_with_torch_and_safetensors(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = exported(capsys, str(sweep))
    (tmp_path / "site").mkdir()
    site = fresh(tmp_path / "site")
    assert not list(site.glob("gensweep*"))
    # Without site-packages there is only what is linked; torch says at import where it misses numpy, and works on.
    path = f"import sys; sys.path[:0] = ['', {str(site)!r}]"
    said = run_lines([path, *lines], sweep / "export", sys.executable, "-I", "-S", "-W", "ignore")
    torch.manual_seed(0)
    loaded = results.load(sweep)
    z = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    nets = rebuild.load_nets(loaded, 1)
    with torch.no_grad():
        expected = torch.sigmoid(nets["decoder"](z))
    shape, _, total = said.rpartition(" ")
    assert shape == "(64, 1, 8, 8)"
    assert float(total) == pytest.approx(float(expected.sum()), rel=1e-5)


@pytest.mark.slow
def test_export__readme_runs_in_a_new_environment(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a stranger would: a new environment, and pip; needs a package index."""
    lines = exported(capsys, str(sweep))
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *NEEDED], check=True, timeout=3000)
    assert run_lines(lines, sweep / "export", python, "-W", "ignore").startswith("(64, 1, 8, 8) ")


def test_export__finalized_winner_is_a_fresh_training(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(sweep, sweep / "final" / "trial-0001")  # four trainings, of which the third is best on val
    lead: list[float | None] = [14 + e for e in (0.1, 0.2, -0.3, 0.0)]
    finalists = [told(1, 12.5, lead + lead), told(0, 20.0, [20 + e for e in NOISE])]
    proof = {"format": 1, "seeds": 8, "test_stamp": {"reference": "test"}, "finalists": finalists}
    (sweep / "final.json").write_text(json.dumps(proof))
    exported(capsys, str(sweep))
    about = json.loads((sweep / "export" / "config.json").read_text())
    assert (about["trial"], about["seed"], about["test"]) == (1, 102, {"fid": 13.7})
    card = (sweep / "export" / "README.md").read_text()
    assert "one of 8 fresh trainings" in card
    assert re.search(r"\| FID \| \S+ \| 13.7 \| lower", card)
    assert "of test: reference test" in card
    assert "it beats the defaults by" in card


@pytest.mark.long
def test_export__autoencoder_without_a_sampler(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = sweeps.make(tmp_path / "a", model="ae")
    lines = exported(capsys, str(directory))
    assert "net.rebuild(images)" in lines[-1]
    space: dict[str, Any] = {"__name__": "model", "__file__": str(directory / "export" / "model.py")}
    exec((directory / "export" / "model.py").read_text(), space)
    x = torch.rand(3, 1, 8, 8)
    with torch.no_grad():
        expected = ae.reconstruct(rebuild.load_nets(results.load(directory), 1), x)
    assert np.allclose(space["load"]().rebuild(x), expected, atol=1e-6)


@pytest.mark.long
def test_export__class_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = sweeps.make(tmp_path / "c", model="cgan")
    exported(capsys, str(directory))
    space: dict[str, Any] = {"__name__": "model", "__file__": str(directory / "export" / "model.py")}
    exec((directory / "export" / "model.py").read_text(), space)
    net = space["load"]()
    assert space["CLASSES"] == [str(digit) for digit in range(10)]
    assert torch.equal(net.sample(12)[[3]], net.sample(12, label=3)[[3]])
    assert not torch.equal(net.sample(12)[[4]], net.sample(12, label=3)[[4]])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("export nowhere", "nowhere"),
        ("export s --trial 99", "no trial 99"),
        ("export s --trial x", "whole number"),
        ("export s -o mine", "holds other things"),
        ("export s -o cards", "holds other things"),
        ("export s -o file/x", "file"),
    ],
)
def test_export__bad_input(words: str, says: str, sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("mine")
    Path("cards").mkdir()
    Path("cards/README.md").write_text("mine")
    Path("file").write_text("x")
    assert says in refused(capsys, *words.split())

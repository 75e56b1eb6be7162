"""--dataset none: a model file that makes its data itself, and is judged by what it logs."""

from pathlib import Path

import pytest
from helpers.command_line import done, gensweep, refused
from helpers.user_files import write_file

from analysis.read import results
from gensweep.cli.main import main

SPIRAL = '''"""A denoiser of points that the file makes itself."""
import torch
from torch import nn

OBJECTIVE = ("val_loss", "min")

def space(trial):
    return {"lr": trial.suggest_float("lr", 1e-3, 1e-1, log=True), "batch_size": 100, "epochs": 2}

def points(n, seed):
    t = 9 * torch.rand(n, generator=torch.Generator().manual_seed(seed))
    return torch.stack([t * t.cos(), t * t.sin()], 1) / 9

def train(config, data, trial):
    assert (data.shape, data.n, len(data.val)) == ((0, 0, 0), 0, 0)
    x, held_out, net = points(1000, 0), points(200, 1), nn.Linear(2, 2)
    adam = torch.optim.Adam(net.parameters(), lr=config["lr"])
    trial.keep(net=net, adam=adam)
    for epoch in trial.epochs():
        for batch in x[torch.randperm(len(x))].split(config["batch_size"]):
            loss = (net(batch + 0.1 * torch.randn_like(batch)) - batch).square().mean()
            adam.zero_grad(), loss.backward(), adam.step()
        trial.log(val_loss=(net(held_out) - held_out).square().mean().detach())
'''


def write_spiral(folder: Path, *changes: tuple[str, str]) -> Path:
    return write_file(folder, *changes, text=SPIRAL)


@pytest.mark.ray
@pytest.mark.slow
def test_none__from_run_to_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_spiral(tmp_path)
    sweep = tmp_path / "results" / "my_model-none"
    code, out, err = done(gensweep("run", "my_model.py", "--dataset", "none", "--trials", "3", cwd=tmp_path))
    assert (code, err) == (0, "")
    assert "no images: trials are judged by what train() logs" in out
    scores = results.load(str(sweep)).scores
    assert len(scores) == 3
    words = ("--model", "my_model.py", "--top", "1", "--seeds", "5")
    code, out, err = done(gensweep("finalize", str(sweep), *words, cwd=tmp_path))
    assert (code, err) == (0, "")
    for command in ("status", "best", "report"):
        assert main([command, str(sweep)]) == 0
    assert "val_loss" in capsys.readouterr().out
    page = (sweep / "report" / "index.html").read_text()
    assert "val_loss is what train() logs: nothing was measured on test images" in page
    assert "logged by the model itself" in page
    assert "updates)" not in page


@pytest.mark.long
def test_none__checked_and_planned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(write_spiral(tmp_path))
    assert main(["check", file, "--dataset", "none"]) == 0
    assert "measured on the training images" not in capsys.readouterr().out
    assert main(["run", file, "--dataset", "none", "--dry-run", "--results", str(tmp_path / "results")]) == 0
    assert "  data             none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("trial.sampler(lambda n: torch.rand(n, 1, 8, 8))", "trial.sampler(): --dataset none has no images for that"),
        ("trial.measure(lambda x, y: {'error': x.mean()})", "trial.measure(): --dataset none has no images for that"),
    ],
)
def test_none__what_needs_images(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    change: str,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    keep = "    trial.keep(net=net, adam=adam)\n"
    write_spiral(tmp_path, (keep, f"{keep}    {change}\n"))
    assert says in refused(capsys, "run", "my_model.py", "--dataset", "none")


def test_none__built_in_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "vae trains on images: --dataset none is for a model file" in refused(
        capsys, "run", "vae", "--dataset", "none"
    )

"""A sweep of a model from a user's own file, by the command line."""

import json
import signal
import sys
from pathlib import Path

import pytest
from helpers import engine_files
from helpers.command_line import done, gensweep, refused, rows, wait_for_rows
from helpers.user_files import LAYERS, small_file, write_code, write_file

from analysis.read import results
from gensweep import Sweep, load_export
from gensweep.cli.main import main
from gensweep.config.user_models import register_file
from search_spaces import SPACES
from search_spaces.user_space import find_space
from trainables import MODELS
from trainables.user_model.registry import USER_MODELS

WORDS = ["--trials", "2", "--concurrent", "1", "--scheduler", "none", "--epochs", "4"]


@pytest.mark.ray
@pytest.mark.slow
def test_user_model__killed_equals_undisturbed(tmp_path: Path) -> None:
    write_file(tmp_path)
    sweep = tmp_path / "results" / "parts"
    code, _, err = done(gensweep("run", "my_model.py", *WORDS, "--name", "whole", cwd=tmp_path))
    assert (code, err) == (0, "")
    killed = gensweep("run", "my_model.py", *WORDS, "--name", "parts", cwd=tmp_path)
    wait_for_rows(sweep, 6, killed)  # in the second trial
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    code, _, err = done(gensweep("resume", "results/parts", "--model", "my_model.py", cwd=tmp_path))
    assert (code, err) == (0, "")
    assert rows(sweep) == rows(tmp_path / "results" / "whole")


@pytest.mark.ray
def test_user_model__code_runs_only_if_its_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, sweep = tmp_path / "code", tmp_path / "results" / "my_model-digits"
    folder.mkdir()
    file = write_file(folder)
    code, out, err = done(gensweep("run", "code/my_model.py", "--trials", "1", cwd=tmp_path))
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "next: gensweep report results/my_model-digits"
    manifest = json.loads((sweep / "sweep.json").read_text())
    assert (manifest["model"], manifest["user_model"]["path"]) == ("my_model", "code/my_model.py")
    assert (sweep / "my_model.py").read_text() == small_file()

    file.unlink()
    assert "name its file, --model code/my_model.py" in refused(capsys, "resume", str(sweep))
    changed = write_file(folder, ("0.5)", "0.6)"))
    err = refused(capsys, "resume", str(sweep), "--model", str(changed))
    assert "is not the file that" in err
    assert "2 lines differ" in err

    (sweep / "my_model.py").write_text("raise SystemExit('executed')\n")  # nothing below executes the model
    for command in ("report", "status", "best"):
        assert main([command, str(sweep)]) == 0
    out = capsys.readouterr().out
    assert f"next: gensweep finalize {sweep} --model code/my_model.py" in out
    assert (sweep / "report" / "grid.png").exists()
    assert "name its file" in refused(capsys, "export", str(sweep))
    write_file(folder)
    assert main(["sample", str(sweep), "--model", str(file), "-n", "9", "-o", str(tmp_path / "grid.png")]) == 0
    assert (tmp_path / "grid.png").exists()

    assert main(["export", str(sweep), "--model", str(file), "-o", str(tmp_path / "out")]) == 0
    assert 'model = gs.load_export(".")' in capsys.readouterr().out
    names = {"model.safetensors", "my_model.py", "config.json", "README.md", "samples.png", "sweep.yaml"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    images = load_export(str(tmp_path / "out")).sample(9)
    assert (tuple(images.shape), float(images.min()) >= 0) == ((9, 1, 8, 8), True)
    assert "executes the model file" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.ray
@pytest.mark.slow
def test_user_model__with_modules_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_code(tmp_path / "code")
    file, sweep = "code/my_model.py", "results/my_model-digits"
    assert main(["run", file, "--code", "code", "--trials", "2", "--epochs", "1"]) == 0
    assert json.loads(Path(f"{sweep}/sweep.json").read_text())["user_model"]["code"]["path"] == "code"
    del USER_MODELS["my_model"]  # as in another process
    capsys.readouterr()
    assert "name its file, --model code/my_model.py --code code" in refused(capsys, "resume", sweep)
    assert "name its folder: --code DIR" in refused(capsys, "resume", sweep, "--model", "code/my_model.py")
    layers = Path("code/my_layers.py")
    layers.write_text(LAYERS + "\n\nUNUSED = 1\n")
    err = refused(capsys, "resume", sweep, "--model", file, "--code", "code")
    assert "is not the code that results/my_model-digits began with (3 lines differ, in my_layers.py)" in err
    layers.write_text(LAYERS)
    words = ["--model", file, "--code", "code"]
    assert main(["extend", sweep, *words, "--trials", "1"]) == 0
    assert main(["sample", sweep, *words, "-n", "4", "-o", "grid.png"]) == 0
    assert main(["finalize", sweep, *words, "--top", "1", "--seeds", "5"]) == 0
    assert main(["best", sweep]) == 0
    assert main(["export", sweep, *words, "-o", "out"]) == 0
    assert load_export("out").sample(3).shape == (3, 1, 8, 8)
    assert "my_layers" not in sys.modules


@pytest.mark.ray
@pytest.mark.slow
def test_user_model__finalized(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = str(write_file(tmp_path, ('("fid", "min")', '(("fid", "min"), ("val_error", "min"))')))
    result = Sweep(file, trials=3, epochs=2, name="s", quiet=True).run()
    assert (result.cause, result.failed) == ("done", 0)
    assert main(["finalize", "results/s", "--model", file, "--top", "1", "--seeds", "5"]) == 0
    content = json.loads((tmp_path / "results" / "s" / "final.json").read_text())
    assert all("val_error" in seed["test"] for finalist in content["finalists"] for seed in finalist["seeds"])


@pytest.mark.ray
@pytest.mark.slow
def test_user_model__without_a_sampler(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sampler = '    trial.sampler(lambda n: dec(torch.randn(n, config["width"], device=trial.device)))\n'
    file = str(write_file(tmp_path, (sampler, ""), ('("fid", "min")', '("val_error", "min")')))
    assert Sweep(file, trials=2, epochs=2, name="s", quiet=True).run().failed == 0
    assert main(["report", "results/s"]) == 0
    page = (tmp_path / "results" / "s" / "report" / "index.html").read_text()
    assert "Everything measured" in page
    assert "Side by side" not in page
    assert main(["export", "results/s", "--model", file, "-o", "out"]) == 0
    assert not (tmp_path / "out" / "samples.png").exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("changes", "words", "says"),
    [
        ([('lr=config["lr"]', "lr=1e-3")], "", "space() offers lr, which train() never reads"),
        ([('lr=config["lr"]', 'lr=config["learn_rate"]')], "", "my_model.py:15: train() reads config['learn_rate']"),
        ([('("fid", "min")', '("val_eror", "min")')], "", "did you mean 'val_error'?"),
        ([], "--set widht=8", "did you mean 'width'"),
        ([], "--objective nats:min", "metric nats needs a model of held-out images"),
        ([], "--precision bf16", "chooses its precision itself"),
        ([], "--train-images 50", "there are 50 images to train on"),
        ([('"batch_size": 64', '"batch_size": 64, "number": 3')], "", "the key 'number'"),
        ([("    n = torch", "    1 / 0\n    n = torch")], "", "my_model.py:12: ZeroDivisionError"),
    ],
)
def test_user_model__refused_before_anything_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: list[tuple[str, str]],
    words: str,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_file(tmp_path, *changes)
    assert says in refused(capsys, "run", "my_model.py", *words.split())
    assert not (tmp_path / "results").exists()


def test_user_model__names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write_file(tmp_path, name="vae.py")
    assert "gensweep has a model 'vae': give your file another name" in refused(capsys, "run", "vae.py")
    assert "nowhere.py cannot be read" in refused(capsys, "run", "nowhere.py")
    assert "--model vae: it takes the file of your own model" in refused(capsys, "resume", "x", "--model", "vae")


@pytest.mark.ray
@pytest.mark.slow
def test_user_model__trained_by_the_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_gan.py").write_text(engine_files.SMALL)
    assert main(["run", "my_gan.py", "--trials", "2", "--set", "drift=0.05"]) == 0
    assert main(["report", "results/my_gan-digits"]) == 0
    for command in (["sample", "-n", "4"], ["export"], ["finalize", "--top", "1", "--seeds", "5"]):
        assert main([command[0], "results/my_gan-digits", "--model", "my_gan.py", *command[1:]]) == 0
    rows = results.load("results/my_gan-digits")
    assert {"loss_d", "real", "fid"} <= results.read_trial(rows, 0).rows[-1].keys()


def test_user_model__is_not_among_ours(tmp_path: Path) -> None:
    """The pages that list our models and spaces are generated from these registries."""
    assert register_file(str(write_file(tmp_path))) == "my_model"
    assert "my_model" not in SPACES
    assert "my_model" not in MODELS
    assert find_space("my_model").objective == ("fid", "min")

"""The command line without Ray: what is resolved, and that every bad input is one line, exit 2, nothing written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.command_line import refused, written
from optuna.trial import TrialState

from analysis.read.manifest import read_manifest
from gensweep.cli.main import main
from gensweep.import_hook import ROOT
from gensweep.search.study_storage import open_study
from trainables.filestore import open_directory

pytestmark = pytest.mark.usefixtures("at_home")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("rnu vae", "did you mean 'run'"),
        ("run vea", "did you mean 'vae'"),
        ("run vae --dataset fashon_mnist", "did you mean 'fashion_mnist'"),
        ("run vae --sampler tp", "did you mean 'tpe'"),
        ("run vae --scheduler ahsa", "did you mean 'asha'"),
        ("run vae --set latentdim=3", "did you mean 'latent_dim'"),
        ("run vae --set lr_g=1e-3", "lr_g"),
        ("run vae --set lr", "key=v"),
        ("run vae --set lr=50", "out of range"),
        ("run vae --set lr=1e-4:50", "out of range"),
        ("run vae --set lr=1e-2:1e-4", "not below"),
        ("run vae --set lr=fast", "not a number"),
        ("run vae --set batch_size=1.5", "whole number"),
        ("run gan --set penalty=gp,r1 --set d_norm=none,batch", "use d_norm=none or d_norm=spectral"),
        ("run vae --set likelihood=bernouli", "did you mean 'bernoulli'"),
        ("run vae --set beta=0:1:log", "above 0"),
        ("run vae --trials 0", "at least 1"),
        ("run vae --trials -3", "at least 1"),
        ("run vae --trials 1.5", "whole number"),
        ("run vae --epochs 0", "at least 1"),
        ("run vae --concurrent 0", "at least 1"),
        ("run vae --concurrent -1", "at least 1"),
        ("run vae --cpus-per-trial 0", "more than 0"),
        ("run vae --cpus-per-trial nan", "a number"),
        ("run vae --gpus-per-trial -1", "0 or more"),
        ("run vae --gpus-per-trial 1.5", "whole number"),
        ("run vae --max-failures -1", "at least 0"),
        ("run vae --time-budget soon", "30m"),
        ("run vae --time-budget 0s", "30m"),
        ("run vae --keep-checkpoints lots", "500MB"),
        ("run vae --keep-checkpoints 0GB", "500MB"),
        ("run vae --keep-checkpoints 5m", "500MB"),
        ("run vae --precision fp16", "bf16"),
        ("run vae --precision bf16 --set precision=fp32", "twice"),
        ("run vae --epochs 3 --set epochs=2", "twice"),
        ("run vae --epochs 3 --grace 4", "longest trial"),
        ("run vae --name a/b", "folder name"),
        ("run vae --bogus 3", "--bogus"),
        ("run", "MODEL"),
        ("run vae missing.yaml", "missing.yaml"),
        ("run vae --dataset mnist --data-dir nowhere", "nowhere"),
        ("run vae --dataset folder:nowhere", "nowhere"),
        ("run vae --storage nodb://x", "nodb"),
        ("run vae --address 127.0.0.1:1", "no Ray cluster answers"),
        ("run vae --address nonsense:x", "no Ray cluster answers"),
        ("best results/x", "results/x"),
        ("status results/x", "results/x"),
        ("resume results/x", "results/x"),
        ("report results/x", "results/x"),
        ("sample results/x", "results/x"),
    ],
)
def test_command_line__bad_input(words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert says in refused(capsys, *words.split())


AT_ONCE = (
    "rnu vae",
    "run vae --set lr=50",
    "run vae --set latentdim=3",
    "run vae --sampler tp",
    "run vae --dataset mnits",
    "status results/x",
    "best results/x",
)


@pytest.mark.long
def test_command_line__mistakes_answered_without_torch() -> None:
    code = f"""import sys; from gensweep.cli.main import main
assert {{main(words.split()) for words in {AT_ONCE}}} == {{2}}
print(*{{"torch", "ray", "sklearn"}} & set(sys.modules))"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_command_line__damaged_data(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = at_home / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte.gz").write_bytes(b"torn")
    assert "train-images-idx3-ubyte.gz" in refused(capsys, "run", "vae", "--dataset", "mnist", "--data-dir", "data")


def test_command_line__folder_with_an_empty_class(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for label in ("cats", "dogs"):
        (at_home / "images" / label).mkdir(parents=True)
    assert "class folder images/cats is empty" in refused(capsys, "run", "vae", "--dataset", "folder:images")


def test_sweep_file__unknown_option(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (at_home / "sweep.yaml").write_text("trails: 3\n")
    assert "did you mean 'trials'" in refused(capsys, "run", "vae", "sweep.yaml")


def test_sweep_file__command_line_wins(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (at_home / "sweep.yaml").write_text("trials: 3\nepochs: 4\nset:\n  lr: [0.001, 0.01]\n  width: 32\n")
    assert main(["run", "vae", "sweep.yaml", "--trials", "5", "--set", "width=64", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "5 trials" in said
    assert "in 0.001, 0.01" in said
    assert "= 64" in said
    assert said.splitlines()[-1] == "next: gensweep run vae sweep.yaml --trials 5 --set width=64"
    assert [path.name for path in at_home.iterdir()] == ["sweep.yaml"]


def test_command_line__results_is_no_sweep(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (at_home / "results").write_text("a file")
    assert "cannot be written" in refused(capsys, "run", "vae")
    (at_home / "other" / "vae-digits").mkdir(parents=True)
    (at_home / "other" / "vae-digits" / "thesis.tex").write_text("mine")
    assert "holds no sweep" in refused(capsys, "run", "vae", "--results", "other")


def test_command_line__name_of_another_sweep(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(at_home, trials=3)
    said = refused(capsys, "run", "vae", "--trials", "4", "--seed", "1", "--set", "lr=1e-3")
    for word in ("trials was 3, now 4", "seed was 0, now 1", "lr", "--name"):
        assert word in said


def test_report__all_trials_failed(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = written(at_home, trials=1)
    with open_study(directory, read_manifest(open_directory(directory)), {}) as study:
        trial = study.ask()
        trial.set_user_attr("reason", "nan")
        study.tell(trial, state=TrialState.FAIL)
    assert "nan" in refused(capsys, "report", str(directory))
    assert "nan" in refused(capsys, "best", str(directory))

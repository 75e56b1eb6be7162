"""More of what users get wrong, beside test_command_line.py: each is one line, exit code 2, and nothing written."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import sweeps
from helpers.command_line import refused, written

pytestmark = pytest.mark.long

FILES = {
    "file": "x", "list.yaml": "- a\n", "torn.yaml": "a: [b\n", "text.yaml": "trials: abc\n", "set.yaml": "set: [lr]\n",
    "points.yaml": "points: {lr: 1}\n", "true.yaml": "seed: true\n", "alarm.yaml": "alarm: maybe\n",
    "budget.yaml": "time_budget: [1]\n", "goal.yaml": "objective: [fid]\n", "start.yaml": "start: 3\n",
    "begin.yaml": "start: {lrr: 3}\n", "model.yaml": "model: gan\n", "fast.yaml": "points: [{lr: fast}]\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweeps.make(tmp_path_factory.mktemp("made") / "s")


@pytest.fixture
def home(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a finished sweep `s` and some files, to work in."""
    shutil.copytree(made, tmp_path / "s")
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("run vae --point lrr=1e-3", "did you mean 'lr'"),
        ("run vae --point lr", "key=value"),
        ("run vae --point lr=99", "lies outside"),
        ("run vae --point lr=fast", "a number is needed"),
        ("run vae --trials 1 --point lr=1e-3", "at least 2 trials"),
        ("run vae --warm-from nowhere", "nowhere"),
        ("run vae --warm-from file", "file"),
        ("run vae --seed -1", "at least 0"),
        ("run vae --trials 99999999999999999999", "too large"),
        ("run vae --every 0", "at least 1"),
        ("run vae --grace 0", "at least 1"),
        ("run vae --reduction-factor 1", "at least 2"),
        ("run vae --train-images 1", "at least 2"),
        ("run vae --train-images 1000000", "1000000"),
        ("run vae --train-images 50", "50 images to train on"),
        ("run vae --set batch_size=100000", "batch_size"),
        ("run vae --storage foo", "foo"),
        ("run vae --storage postgresql://a:b@c:port/x", "postgresql://..."),
        ("run vae --storage sqlite:///nowhere/x.db", "cannot open the storage"),
        ("run vae --name .", "folder name"),
        (f"run vae --name {'a' * 101}", "100 letters"),
        ("run vae --results file", "file"),
        ("run vae --address=", "empty"),
        ("run vae --trial-timeout x", "30m"),
        ("run vae --dataset folder:file", "file"),
        ("run vae --set lr=1e-3 --set lr=1e-2", "twice"),
        ("run vae --set lr=1e-3,1e-3", "twice"),
        ("run vae --set lr=nan", "lr"),
        ("run vae --set net=mlp:conv", "two numbers"),
        ("run vae --set latent_dim=0", "out of range"),
        ("run vae --sampler grid", "a grid needs values"),
        ("run vae list.yaml", "mapping"),
        ("run vae torn.yaml", "torn.yaml"),
        ("run vae bytes.yaml", "bytes.yaml"),
        ("run vae text.yaml", "whole number"),
        ("run vae set.yaml", "'set' needs a mapping"),
        ("run vae points.yaml", "list of mappings"),
        ("run vae true.yaml", "whole number"),
        ("run vae alarm.yaml", "true or false"),
        ("run vae budget.yaml", "30m"),
        ("run vae goal.yaml", "write metric:min or metric:max"),
        ("run vae start.yaml", "mapping"),
        ("run vae begin.yaml", "did you mean 'lr'"),
        ("run vae model.yaml", "model: it is typed"),
        ("run vae fast.yaml", "a number is needed"),
        ("run vae .", "cannot read '.'"),
        ("run vae --results . --name s", "holds another sweep"),
        ("study nonsense", "unknown study"),
        ("study vae-report --seeds 0", "at least 1"),
        ("study vae-report --epochs 0", "at least 1"),
        ("study vae-report --set lrr=1", "lrr"),
        ("study vae-report --results file", "file"),
        ("study vae-report --address 127.0.0.1:1", "no Ray cluster answers"),
        ("extend s", "--trials"),
        ("extend file --trials 2", "file"),
        ("resume s --trials 3", "--trials"),
        ("stop s", "nothing to stop"),
        ("stop file", "file"),
        ("status file", "file"),
        ("status .", "sweeps below it: s"),
        ("best file", "file"),
        ("best s --top 0", "top"),
        ("best s --top x", "whole number"),
        ("sample file", "file"),
        ("sample s -n 0", "0"),
        ("sample s --label 3", "knows no labels"),
        ("sample s --trial 99", "99"),
        ("sample s -o file/x.png", "file"),
        ("sample s -o .", "cannot write ."),
        ("report file", "file"),
        ("report s nowhere", "nowhere"),
        ("report s -o file", "file"),
    ],
)
def test_bad_input__one_line(words: str, says: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert says in refused(capsys, *words.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("extend results/vae-digits --trials 0", "at least 1"),
        ("extend results/vae-digits --trials 2 --set lrr=1", "did you mean 'lr'"),
        ("extend results/vae-digits --trials 2 --set lr=1:0", "the range is empty"),
        ("extend results/vae-digits --trials 2 --set lr", "key=v"),
        ("resume results/vae-digits --time-budget x", "30m"),
        ("resume results/vae-digits --concurrent 0", "at least 1"),
        ("resume results/vae-digits --cpus-per-trial x", "not a number"),
        ("resume results/vae-digits --trial-timeout 0s", "30m"),
        ("resume results/vae-digits --address 127.0.0.1:1", "no Ray cluster answers"),
        ("cancel results/vae-digits", "nothing to cancel"),
        ("best results/vae-digits", "results/vae-digits"),
        ("report results/vae-digits", "results/vae-digits"),
        ("sample results/vae-digits", "results/vae-digits"),
        ("run vae --warm-from results/vae-digits --name other", "results/vae-digits"),
    ],
)
def test_bad_input__sweep_without_trials(words: str, says: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(home, trials=3)
    assert says in refused(capsys, *words.split())


def change(without: str = "", **settings: Any) -> Callable[[Path], None]:
    """sweep.json with other settings, or `without` one."""

    def edit(sweep: Path) -> None:
        manifest = json.loads((sweep / "sweep.json").read_text()) | settings
        (sweep / "sweep.json").write_text(json.dumps({k: v for k, v in manifest.items() if k != without}))

    return edit


def put(name: str, content: bytes) -> Callable[[Path], None]:
    def write(sweep: Path) -> None:
        (sweep / name).write_bytes(content)

    return write


def of_another_program(sweep: Path) -> None:
    (sweep / "study.db").unlink()
    with sqlite3.connect(sweep / "study.db") as connection:
        connection.execute("create table mine (x)")
    connection.close()


def gone(sweep: Path) -> None:
    (sweep / "study.db").unlink()


@pytest.mark.parametrize(
    ("spoil", "words", "says"),
    [
        (put("sweep.json", b"{"), "status s", "broken"),
        (put("sweep.json", b"{"), "resume s", "broken"),
        (put("sweep.json", b"[]"), "best s", "format 1"),
        (put("sweep.json", b"\xff\xfe\x00"), "report s", "broken"),
        (put("sweep.json", b"\xff\xfe\x00"), "extend s --trials 2", "broken"),
        (put("sweep.json", b'{"format": 1}'), "status s", "its sweep.json has no valid name, command"),
        (put("sweep.json", b'{"format": 1}'), "resume s", "its sweep.json has no valid name, command"),
        (change(format=2), "sample s", "format 1"),
        (change(model="vea"), "report s", "'vea'"),
        (change(model="vea"), "resume s", "did you mean 'vae'"),
        (change(trials="many"), "status s", "its sweep.json has no valid trials"),
        (change("objective"), "best s", "its sweep.json has no valid objective"),
        (change(objective="fid"), "run vae --warm-from s", "its sweep.json has no valid objective"),
        (change(objective={"mode": "min"}), "best s", "a metric and a mode"),
        (change(space=[]), "report s", "its sweep.json has no valid space"),
        (change(space=[]), "resume s", "space"),
        (change(space={"lr": {"low": 1}}), "report s", "its sweep.json has no valid space.lr"),
        (change(study="other"), "resume s", "the study 'other'"),
        (change(dataset="folder:gone"), "resume s", "gone"),
        (change(storage="postgresql://a:b@127.0.0.1:1/x"), "status s", "cannot read the study"),
        (change(storage="postgresql://a:b@127.0.0.1:1/x"), "resume s", "cannot read the study"),
        (gone, "resume s", "is gone"),
        (gone, "status s", "is gone"),
        (gone, "report s", "is gone"),
        (put("study.db", b"garbage" * 100), "status s", "cannot read the study"),
        (put("study.db", b"garbage" * 100), "resume s", "cannot read the study"),
        (of_another_program, "best s", "cannot read the study"),
        (of_another_program, "resume s", "cannot read the study"),
        (put("trials/0001/params.json", b"[]"), "best s", "0001"),
        (put("trials/0001/params.json", b"{}"), "report s", "0001"),
        (put("trials/0001/rows.jsonl", b'{"epoch": 1}\n'), "best s", "0001"),
        (put("trials/0001/best.safetensors", b"garbage"), "sample s", "best.safetensors"),
        (put("trials/0001/samples/epoch_0004.png", b"x"), "report s", "epoch_0004.png"),
        (put("report", b"x"), "report s", "report"),
    ],
)
def test_bad_input__damaged_sweep(
    spoil: Callable[[Path], None], words: str, says: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(home / "s")
    assert says in refused(capsys, *words.split())


def test_resume__missing_study_only_without_trials(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = written(home, trials=3)
    (sweep / "trials" / "0000").mkdir(parents=True)
    (sweep / "trials" / "0000" / "rows.jsonl").write_text("")
    assert "is gone" in refused(capsys, "run", "vae", "--trials", "3")

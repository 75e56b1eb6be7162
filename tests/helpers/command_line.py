"""Calls the command line in this process, and in processes of its own."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from gensweep.cli.main import main
from gensweep.config.options import Options
from gensweep.search.study_storage import open_study
from gensweep.sweep.run_sweep import read_manifest


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line of a refusal, which changes no file: the test is in a small directory of its own."""
    assert not Path("pyproject.toml").exists()
    before = tree(Path())
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert tree(Path()) == before
    return err


def written(home: Path, **options: Any) -> Path:
    """A sweep as a driver leaves it that was killed before its first trial."""
    from gensweep.sweep.run_sweep import prepare_sweep

    directory, manifest, _ = prepare_sweep(Options("vae", **options), ["gensweep"])
    directory.mkdir(parents=True)
    (directory / "sweep.json").write_text(json.dumps(manifest.to_json()))
    return directory


SMALL = ["--set", "width=16", "--set", "net=mlp", "--set", "likelihood=bernoulli"]
TRIALS, EPOCHS = 3, 5
LENGTH = ["--trials", str(TRIALS), "--set", f"epochs={EPOCHS}"]


def gensweep(*words: str, cwd: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "gensweep", *words]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def done(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


def rows(sweep: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of every trial, without what the clock says."""
    found = {}
    for path in sorted(sweep.glob("trials/*/rows.jsonl")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        found[path.parent.name] = [{key: value for key, value in line.items() if key != "wall_s"} for line in lines]
    return found


def trials(sweep: Path) -> list[tuple[int, TrialState, dict[str, Any], float | None, dict[int, float]]]:
    with open_study(sweep, read_manifest(sweep), {}) as study:
        return [(t.number, t.state, t.params, t.value, t.intermediate_values) for t in study.trials]


def wait_for_rows(sweep: Path, n: int, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 300  # a loaded machine takes minutes to start Ray and train the first epochs
    while sum(map(len, rows(sweep).values())) < n:
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)

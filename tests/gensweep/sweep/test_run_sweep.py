"""Whole sweeps on the real digits through Ray: the command line, a killed driver, GPUs that are only counted."""

import io
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from helpers.command_line import SMALL, done, gensweep, rows, trials, wait_for_rows
from optuna.trial import TrialState
from rich.console import Console

from gensweep import Sweep
from gensweep.cli.main import main
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.sweep.run_sweep import read_manifest, search_space
from gensweep.tune import ray_session, run_tuner
from gensweep.tune.resources import Node, share
from trainables.data import load

pytestmark = pytest.mark.ray
STRANGER = "raise RuntimeError('a stranger was imported')\n"


@pytest.mark.slow
def test_run_sweep__beside_modules_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "analysis.py").write_text(STRANGER)
    (tmp_path / "trainables").mkdir()
    (tmp_path / "trainables" / "__init__.py").write_text(STRANGER)
    words = ["--trials", "2", "--epochs", "2", "--scheduler", "none", *SMALL]
    code, out, err = done(gensweep("run", "vae", *words, cwd=tmp_path))
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "next: gensweep report results/vae-digits"
    sweep = tmp_path / "results" / "vae-digits"
    assert [state for _, state, *_ in trials(sweep)] == [TrialState.COMPLETE] * 2
    assert {name: len(lines) for name, lines in rows(sweep).items()} == {"0000": 2, "0001": 2}
    manifest = read_manifest(sweep)
    assert manifest.stamp["n_samples"] == 5000
    assert manifest.command[:3] == ["gensweep", "run", "vae"]
    code, out, err = done(gensweep("best", "results/vae-digits", "--json", cwd=tmp_path))
    assert (code, err) == (0, "")
    assert json.loads(out)[0]["number"] in (0, 1)


@pytest.mark.slow
def test_run_sweep__second_ctrl_c_ends_it(tmp_path: Path) -> None:
    """In the middle of an epoch of seconds, which the first one waits for."""
    slow = ["--set", "batch_size=2", "--set", "width=1024", "--set", "net=mlp", "--set", "epochs=50"]
    driver = gensweep("run", "vae", "--trials", "2", *slow, "--concurrent", "1", "--scheduler", "none", cwd=tmp_path)
    sweep = tmp_path / "results" / "vae-digits"
    wait_for_rows(sweep, 1, driver)
    driver.send_signal(signal.SIGINT)
    time.sleep(0.3)
    driver.send_signal(signal.SIGINT)
    code, _, err = done(driver)
    assert code == 130
    assert err in ("", "gensweep: interrupted; the same command again goes on\n")  # "": the first one was quick
    assert [state for _, state, *_ in trials(sweep)] == [TrialState.RUNNING]


def test_run_sweep__python_api(tmp_path: Path) -> None:
    result = Sweep("dae", results=str(tmp_path), trials=2, epochs=1, set={"width": "16"}, quiet=True).run()
    assert (result.cause, result.trials, result.failed) == ("done", 2, 0)
    assert result.best["value"] == min(entry["value"] for entry in result.top(2))
    assert set(result.frames().rows["number"]) == {0, 1}
    with pytest.raises(ValueError, match="did you mean 'trials'"):
        Sweep("dae", trails=3)


@pytest.mark.slow
def test_run_sweep__time_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "ae", "--trials", "400", "--epochs", "400", "--scheduler", "none", "--results", str(tmp_path)]
    began = time.monotonic()
    assert main([*words, "--time-budget", "15s"]) == 0
    assert time.monotonic() - began < 60
    out = capsys.readouterr().out.splitlines()
    assert out[-2].startswith("the time budget is spent")
    assert out[-1] == f"next: gensweep resume {tmp_path}/ae-digits"


@pytest.mark.slow
def test_run_sweep__all_trials_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wild = ["--set", "lr=10", "--set", "likelihood=gaussian", "--set", "sigma=0.001", "--set", "width=16"]
    words = ["run", "vae", "--trials", "2", "--epochs", "1", *wild, "--results", str(tmp_path)]
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert err == "gensweep: all 2 trials failed\n"
    assert "2 failed (2 nan)" in out
    assert main(words) == 1  # nothing is left to do, and the end is the same
    assert [state for _, state, *_ in trials(tmp_path / "vae-digits")] == [TrialState.FAIL] * 2


def test_run_sweep__more_gpus_than_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "vae", "--gpus-per-trial", "64", "--results", str(tmp_path / "results")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "gpus-per-trial 64" in err
    assert list(tmp_path.iterdir()) == []


def visible(config: dict[str, Any], *, data: Any, evaluator: int, task: Any) -> None:
    """A trial that says which GPUs it sees, while as many others as fit run beside it."""
    import ray
    from ray import tune

    here = Path(task.directory) / f"seen-{config['number']}"
    here.write_text(json.dumps([os.environ.get("CUDA_VISIBLE_DEVICES"), ray.get_gpu_ids()]))
    end = time.monotonic() + 60
    while len(list(here.parent.glob("seen-*"))) < evaluator and time.monotonic() < end:
        time.sleep(0.05)
    last = {"epoch": 1, "epochs": 1, "eval_epoch": 1, "status": "ok", "fid": 1.0, "best": 1.0}
    tune.report(last)


def seen(folder: Path, cores: list[Node], at_once: int, **options: Any) -> list[tuple[str, list[str]]]:
    """What `at_once` trials see that wait for each other."""
    asked = Options("vae", trials=at_once, **options)
    manifest = make_manifest(asked, ["test"])
    folder.mkdir()
    given = share(asked, cores)
    assert given.concurrent == at_once
    parts: Any = (load("digits"), at_once)  # the trial takes the number in place of an evaluator
    console = Console(file=io.StringIO())
    ended = run_tuner.run(folder, manifest, search_space(manifest), parts, given, None, console, visible)
    assert (ended.cause, ended.trials, ended.failed) == ("done", at_once, 0)
    return sorted(tuple(json.loads(path.read_text())) for path in folder.glob("seen-*"))


@pytest.mark.slow
def test_run_sweep__gpus_shared_and_hidden(tmp_path: Path) -> None:
    import ray.cloudpickle

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
    with ray_session.ray_environment(), ray_session.connect(None, {"num_cpus": 4, "num_gpus": 2}) as cores:
        halves = seen(tmp_path / "halves", cores, 4, gpus_per_trial=0.5)
        assert [devices for devices, _ in halves] == ["0", "0", "1", "1"]
        assert seen(tmp_path / "none", cores, 2, gpus_per_trial=0, concurrent=2) == [("", []), ("", [])]

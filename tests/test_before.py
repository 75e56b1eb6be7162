"""What is looked at before the first trial, and the budget of checkpoints, without Ray."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import sweeps
import torch
from optuna.trial import TrialState
from test_full_disk import fill, small
from trials import digits
from trials import small as tiny

from gensweep.cli.main import main
from gensweep.config.options import Options
from gensweep.config.resolve import resolve
from gensweep.errors import UserError
from gensweep.search.study_storage import open_study
from gensweep.storage import checks
from gensweep.storage.lock import driving
from gensweep.sweep import disk_estimate
from gensweep.sweep.run_sweep import prepare, space_of
from gensweep.tune.checkpoint_cleanup import CheckpointLimit
from gensweep.tune.searcher import Outcome
from gensweep.units import amount, size
from trainables import MODELS, TRAINABLES
from trainables.engine.estimate import measure_bytes as bytes_of
from trainables.objective import goal_of

__all__ = ["small"]
FIXED = {
    "likelihood": "bernoulli",
    "beta": "1",
    "latent_dim": "8",
    "lr": "1e-3",
    "batch_size": "64",
    "width": "128",
    "epochs": "4",
}


def test_sizes() -> None:
    asked = ("500MB", "10GB", "1.5 kB", "2tb", "7", 7)
    assert [size(text) for text in asked] == [500_000_000, 10_000_000_000, 1500, 2_000_000_000_000, 7, 7]
    assert [amount(n) for n in (7, 1234, 12_345_678, 3e9)] == ["7 B", "1.23 kB", "12.3 MB", "3 GB"]


def test_a_space_of_one_point() -> None:
    with pytest.raises(UserError, match="nothing is left to search"):
        resolve(Options("vae", trials=4, set=FIXED), ["gensweep"])
    for asked in (Options("vae", trials=1, set=FIXED), Options("vae", set=FIXED, sampler="random", scheduler="none")):
        assert resolve(asked, ["gensweep"])["space"]["lr"]["kind"] == "fixed"


@pytest.mark.parametrize(("pins", "left"), [({}, "likelihood, beta"), ({"likelihood": "bernoulli"}, "beta")])
def test_an_objective_whose_meaning_a_searched_key_changes(pins: dict[str, str], left: str) -> None:
    with pytest.raises(UserError, match=f"^nats of trials that differ in {left} do not compare: fix it, as by --set"):
        resolve(Options("vae", objective=("nats", "min"), set=pins), ["gensweep"])


def test_an_objective_whose_meaning_is_fixed() -> None:
    pins = {"likelihood": "bernoulli", "beta": "1"}
    assert resolve(Options("vae", objective=("nats", "min"), set=pins), ["gensweep"])["objective"]["metric"] == "nats"


@pytest.mark.parametrize("command", [["run", "vae"], ["resume"], ["extend"]])
def test_two_drivers(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory, sheet, _ = prepare(Options("vae", results=str(tmp_path)), ["gensweep"])
    directory.mkdir()
    (directory / "sweep.json").write_text(json.dumps({**sheet, "stamp": {}}))
    words = {
        "run": ["--results", str(tmp_path)],
        "resume": [str(directory)],
        "extend": [str(directory), "--trials", "2"],
    }
    with driving(directory, print):
        written = {path: path.read_bytes() for path in directory.iterdir()}
        assert main([*command, *words[command[0]]]) == 2
        assert {path: path.read_bytes() for path in directory.iterdir()} == written
    err = capsys.readouterr().err
    assert err.startswith(f"gensweep: another gensweep is running {directory} (process ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_the_size_of_a_checkpoint_is_that_of_a_real_one(name: str) -> None:
    config, data = tiny(name, epochs=1, batch_size=64), digits()
    (epoch,) = TRAINABLES[name](config, data, 3)
    buffer = io.BytesIO()
    torch.save(epoch.snapshot(), buffer)
    found = bytes_of(MODELS[name], config, data)
    assert buffer.tell() == pytest.approx(found.checkpoint, abs=6000)  # the row and the last scores
    assert sum(value.nbytes for value in epoch.weights().values()) == found.best


def test_a_disk_that_is_too_small(small: Path) -> None:
    def looked(**options: Any) -> None:
        asked = Options("vae", results=str(small), **options)
        directory, sheet, data = prepare(asked, ["gensweep"])
        disk_estimate.room(directory, sheet, space_of(sheet), data, 1)

    looked(trials=1)
    with pytest.raises(UserError, match=r"has 8.39 MB left, and 9 trials need .* of it for checkpoints"):
        looked(trials=9)
    looked(trials=9, keep_checkpoints="4MB")
    fill(small, 2_000_000)
    with pytest.raises(UserError, match=r"has 2 MB left, and 9 trials need"):
        looked(trials=9, keep_checkpoints="4MB")
    with pytest.raises(UserError, match=r"keep-checkpoints 400 kB: 1 trials at once need"):
        looked(trials=1, keep_checkpoints="400kB")


def test_the_worst_that_have_ended_lose_their_checkpoints_first(tmp_path: Path) -> None:
    directory = sweeps.make(tmp_path / "s")  # 0: fid 20, 1: 12.5, 2: stopped at 20, 3: failed
    for number in range(6):
        folder = directory / "trials" / f"{number:04d}"
        folder.mkdir(exist_ok=True)
        for epoch in (1, 2):
            (folder / f"checkpoint_{epoch:04d}.pt").write_bytes(bytes(100))

    def left() -> list[int]:
        return sorted({int(path.parent.name) for path in directory.glob("trials/*/checkpoint_*.pt")})

    meta = json.loads((directory / "sweep.json").read_text())
    with open_study(directory, meta, {}) as study:
        told = study.get_trials()
    goal = goal_of(meta)
    files = {path for path in directory.rglob("*") if not path.name.startswith("checkpoint")}
    assert CheckpointLimit(directory, None, goal, told).line() == []
    assert left() == [0, 1, 2, 3, 4, 5]
    budget = CheckpointLimit(directory, 1000, goal, told)  # 4 and 5 are open
    assert left() == [0, 1, 2, 4, 5]
    budget.end(Outcome(5, TrialState.COMPLETE, {}, {1: {"fid": 99.0}}, 1))
    assert left() == [0, 1, 2, 4, 5]
    for epoch in (1, 2):
        (directory / "trials" / "0004" / f"checkpoint_{epoch:04d}.pt").write_bytes(bytes(300))
    budget.end(Outcome(4, TrialState.PRUNED, {}, {1: {"fid": 50.0}}, 1))
    assert left() == [0, 1, 2]  # 3 had failed, 5 was the worst of the others, then 4
    (line,) = budget.line()
    assert line.startswith("checkpoints of 3 trials (1 kB) were deleted")
    assert line.endswith("these trials cannot be trained on")
    (directory / "trials" / "0004" / "checkpoint_0003.pt").write_bytes(bytes(300))
    CheckpointLimit(directory, 1, goal, told)  # to which 4 is open
    assert left() == [4]
    assert {path for path in directory.rglob("*") if not path.name.startswith("checkpoint")} == files


MOUNTS = """overlay / overlay rw 0 0
server:/export /data nfs4 rw,relatime 0 0
tmpfs /data/scratch tmpfs rw 0 0
me@host: /home/my\\040files fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(("path", "kind"), [("/data/sweeps/gan", "nfs4"), ("/home/my files/gan", "fuse.sshfs")])
def test_sqlite_is_refused_on_a_network_file_system(path: str, kind: str) -> None:
    with pytest.raises(UserError, match=rf"network file system \({kind}\), .*: say --storage journal"):
        checks.check_lockable(Path(path), MOUNTS)


@pytest.mark.parametrize("path", ["/data/scratch/gan", "/database/gan", "/home/me"])
def test_sqlite_is_taken_on_any_other(path: str) -> None:
    checks.check_lockable(Path(path), MOUNTS)

"""What is looked at before the first trial, and the budget of checkpoints, without Ray."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.full_disk import fill
from helpers.trials import digits, small

from gensweep.cli.main import main
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.errors import UserError
from gensweep.storage.lock import driving
from gensweep.sweep import disk_estimate
from gensweep.sweep.run_sweep import prepare_sweep, search_space
from gensweep.units import amount, size
from trainables import MODELS, TRAINABLES
from trainables.engine.estimate import measure_bytes as bytes_of

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
        make_manifest(Options("vae", trials=4, set=FIXED), ["gensweep"])
    for asked in (Options("vae", trials=1, set=FIXED), Options("vae", set=FIXED, sampler="random", scheduler="none")):
        assert make_manifest(asked, ["gensweep"])["space"]["lr"]["kind"] == "fixed"


@pytest.mark.parametrize(("pins", "left"), [({}, "likelihood, beta"), ({"likelihood": "bernoulli"}, "beta")])
def test_an_objective_whose_meaning_a_searched_key_changes(pins: dict[str, str], left: str) -> None:
    with pytest.raises(UserError, match=f"^nats of trials that differ in {left} do not compare: fix it, as by --set"):
        make_manifest(Options("vae", objective=("nats", "min"), set=pins), ["gensweep"])


def test_an_objective_whose_meaning_is_fixed() -> None:
    pins = {"likelihood": "bernoulli", "beta": "1"}
    assert (
        make_manifest(Options("vae", objective=("nats", "min"), set=pins), ["gensweep"])["objective"]["metric"]
        == "nats"
    )


@pytest.mark.parametrize("command", [["run", "vae"], ["resume"], ["extend"]])
def test_two_drivers(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory, sheet, _ = prepare_sweep(Options("vae", results=str(tmp_path)), ["gensweep"])
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
    config, data = small(name, epochs=1, batch_size=64), digits()
    (epoch,) = TRAINABLES[name](config, data, 3)
    buffer = io.BytesIO()
    torch.save(epoch.snapshot(), buffer)
    found = bytes_of(MODELS[name], config, data)
    assert buffer.tell() == pytest.approx(found.checkpoint, abs=6000)  # the row and the last scores
    assert sum(value.nbytes for value in epoch.weights().values()) == found.best


def test_a_disk_that_is_too_small(small_disk: Path) -> None:
    def looked(**options: Any) -> None:
        asked = Options("vae", results=str(small_disk), **options)
        directory, sheet, data = prepare_sweep(asked, ["gensweep"])
        disk_estimate.check_disk_space(directory, sheet, search_space(sheet), data, 1)

    looked(trials=1)
    with pytest.raises(UserError, match=r"has 8.39 MB left, and 9 trials need .* of it for checkpoints"):
        looked(trials=9)
    looked(trials=9, keep_checkpoints="4MB")
    fill(small_disk, 2_000_000)
    with pytest.raises(UserError, match=r"has 2 MB left, and 9 trials need"):
        looked(trials=9, keep_checkpoints="4MB")
    with pytest.raises(UserError, match=r"keep-checkpoints 400 kB: 1 trials at once need"):
        looked(trials=1, keep_checkpoints="400kB")

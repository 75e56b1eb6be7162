"""Finalize a small real sweep by the command line."""

import json
import shutil
from pathlib import Path

import pytest

from analysis.read import results
from analysis.report import sweep_page
from gensweep import Sweep
from gensweep.cli.main import main
from gensweep.sweep.finalize import final_seed


@pytest.mark.ray
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "2"], "seeds 2 is too small: at least 5"),
        (["--top", "0"], "top 0 is too small"),
        (["--add-seeds", "-1"], "add-seeds -1 is too small"),
        (["--add-seeds", "3"], "has not been finalized yet"),
    ],
)
def test_finalize__bad_input(
    words: list[str], message: str, digits_sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["finalize", str(digits_sweep), *words]) == 2
    assert message in capsys.readouterr().err
    assert not (digits_sweep / "final").exists()


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real sweep of three short trials."""
    results = tmp_path_factory.mktemp("results")
    pins = {"net": "mlp", "width": 16, "latent_dim": 2, "batch_size": 128}
    Sweep("ae", trials=3, epochs=2, scheduler="none", name="s", results=str(results), set=pins, quiet=True).run()
    return results / "s"


@pytest.fixture
def digits_sweep(searched: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(searched, tmp_path / "s"))


@pytest.mark.ray
def test_finalize__command_line(digits_sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = str(digits_sweep)
    assert main(["best", directory]) == 0
    assert f"next: gensweep finalize {directory}" in capsys.readouterr().out
    assert main(["finalize", directory, "--top", "1", "--seeds", "5"]) == 0
    said = capsys.readouterr().out
    assert "Retrained from 5 fresh seeds" in said
    meta = json.loads((digits_sweep / "final.json").read_text())
    seeds = [[one["seed"] for one in each["seeds"]] for each in meta["finalists"]]
    assert all(one == seeds[0] for one in seeds)  # paired
    earlier = {results.read_trial(results.load(directory), k).seed for k in range(3)}
    assert not earlier & set(seeds[0])
    assert meta["seed"] == final_seed(0)
    assert meta["test_stamp"]["reference"] == "test"
    assert meta["finalists"][-1]["number"] == 0 or meta["finalists"][0]["number"] == 0
    scores = [one["test"]["recon_mse"] for one in meta["finalists"][0]["seeds"]]
    assert len(set(scores)) == 5

    before = {path: path.stat().st_mtime_ns for path in digits_sweep.glob("final/*/trials/*/rows.jsonl")}
    assert main(["finalize", directory, "--top", "1", "--add-seeds", "1"]) == 0
    assert "Retrained from 6 fresh seeds" in capsys.readouterr().out
    again = json.loads((digits_sweep / "final.json").read_text())
    assert [one["test"]["recon_mse"] for one in again["finalists"][0]["seeds"]][:5] == scores
    assert {path: path.stat().st_mtime_ns for path in before} == before  # what was trained stays
    assert main(["best", directory]) == 0
    assert "Retrained on fresh seeds" in capsys.readouterr().out
    page = Path(sweep_page.write([directory])).read_text()
    assert "Retrained on fresh seeds" in page
    assert "Retrained from 6 fresh seeds" in page

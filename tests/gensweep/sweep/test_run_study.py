"""A small study on the digits by the command line, killed half-way."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from analysis.read import results
from analysis.study import claims, study_results
from gensweep.cli.main import main

EPOCHS = 40
SMALL = f"""
import sys
from gensweep.cli.main import main
from search_spaces.studies import STUDIES, Arm, Claim, Study
same = {{"net": "mlp", "width": 16, "likelihood": "bernoulli", "batch_size": 64}}
STUDIES["small"] = Study(
    "Small", "Is an arm like itself?",
    {{"a": Arm("one", "vae", "digits", same, {EPOCHS}), "b": Arm("the same", "vae", "digits", same, {EPOCHS}),
      "a-1": Arm("early", same_as="a", at_epoch=1)}},
    (Claim("a is better", "a", "lower", "fid", "b"), Claim("epochs help", "a", "lower", "nats", "a-1")),
    ("fid", "nats"), {{"grid": (), "epochs": ("a", "b"), "bands:nats": ("a", "b"), "shares": ()}}, every={EPOCHS},
)
sys.exit(main(["study", "small", "--seeds", "2", *sys.argv[1:]]))
"""


def rows(sweep: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of every trial, without what the clock says."""
    told = {}
    for path in sorted(sweep.glob("trials/*/rows.jsonl")):
        lines = results.parse_rows(path.read_bytes())
        told[path.parent.name] = [{key: value for key, value in row.items() if key != "wall_s"} for row in lines]
    return told


@pytest.mark.ray
@pytest.mark.slow
def test_run_study__killed_and_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "results" / "study-small"
    command = [sys.executable, "-c", SMALL, "--rows", "rows.csv.gz"]
    killed = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 300
        while not any(rows(home / "b").values()):  # in the second arm
            assert time.monotonic() < end
            assert killed.poll() is None
            time.sleep(0.02)
    finally:
        killed.send_signal(signal.SIGKILL)
        said = killed.communicate()
    assert killed.returncode == -signal.SIGKILL, said

    monkeypatch.chdir(tmp_path)
    assert main(["report", str(home)]) == 2
    assert "type the study's command again" in capsys.readouterr().err

    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=400, check=False)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines()[-1] == "next: gensweep report results/study-small"
    assert set(rows(home / "a")) == {"0000", "0001"}
    assert [len(told) for told in rows(home / "a").values()] == [EPOCHS] * 2
    assert rows(home / "a") == rows(home / "b")  # the same configuration and the same seeds, bit for bit
    assert rows(home / "a")["0000"] != rows(home / "a")["0001"]

    told = study_results.load(home)
    same, epochs = claims.decide_claims(told)
    assert (same.n, same.difference, same.p, same.word) == (2, 0.0, 1.0, "untested")
    assert epochs.difference < 0
    assert len(json.loads((home / "study.json").read_text())["launches"]) == 2

    assert main(["report", str(home)]) == 0
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/README.md").write_text("| [small](small.md) | of yesterday |\n| [other](other.md) | Another? |\n")
    assert main(["report", str(home), "-o", "docs"]) == 0
    index = (tmp_path / "docs/README.md").read_text()
    assert "| [small](small.md) | Is an arm like itself? | 2 untested |" in index
    assert "| [other](other.md) | Another? |\n" in index
    assert "yesterday" not in index
    page, document = (home / "report" / "index.html").read_text(), (tmp_path / "docs" / "small.md").read_text()
    for text in (page, document):
        assert "Is an arm like itself?" in text
        assert "2 untested" in text
        assert "gensweep study small --seeds 2 --rows rows.csv.gz" in text
    assert "http" not in page.replace("http-equiv", "")
    for name in ("grid", "epochs", "bands_nats", "shares"):
        assert f"](small/{name}.png)" in document
        assert (tmp_path / "docs" / "small" / f"{name}.png").read_bytes().startswith(b"\x89PNG")

    home.rename(tmp_path / "lost")  # the rows alone bring the study back, without training
    taken = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=400, check=False)
    assert (taken.returncode, taken.stderr) == (0, "")
    assert taken.stdout.splitlines()[0] == "4 trainings are taken from rows.csv.gz"
    assert claims.decide_claims(study_results.load(home))[1][2:6] == epochs[2:6]
    assert {arm: rows(home / arm) for arm in "ab"} == {arm: rows(tmp_path / "lost" / arm) for arm in "ab"}


def test_run_study__unknown_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["study", "vae-repor"]) == 2
    assert "did you mean 'vae-report'" in capsys.readouterr().err
    assert main(["study", "vae-report", "--dataset", "mnits"]) == 2
    assert "did you mean 'mnist'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

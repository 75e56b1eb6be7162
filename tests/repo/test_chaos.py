"""`make chaos` in short: a sweep survives one kill of each kind."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

SCRIPT = ROOT / "scripts" / "chaos.py"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_chaos__one_kill_of_each_kind(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--runs", "3", "--seed", "1", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()[2:]
    assert [line.split("|")[-2].strip() for line in lines] == ["sound"] * 5
    assert {line.split("|")[3].strip() for line in lines[2:]} == {"worker", "raylet", "driver"}

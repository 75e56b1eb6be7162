"""What a sweep survives: its Ray dying under it, and `make chaos` in short."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gensweep import cluster
from gensweep.guard import RayDied

SCRIPT = Path(__file__).parent.parent / "scripts" / "chaos.py"


def test_a_driver_whose_raylet_died_says_so_and_ends() -> None:
    from ray._private import worker

    began = time.monotonic()
    with pytest.raises(RayDied, match="its raylet process died"), cluster.environment():  # noqa: PT012, SIM117
        with cluster.connected(None, {"num_cpus": 1}):
            node: Any = worker._global_node
            (raylet,) = node.all_processes["raylet"]
            os.kill(raylet.process.pid, signal.SIGKILL)
            began = time.monotonic()
            time.sleep(60)
    assert time.monotonic() - began < 30


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_one_kill_of_each_kind(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--runs", "3", "--seed", "1", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()[2:]
    assert [line.split("|")[-2].strip() for line in lines] == ["sound"] * 5
    assert {line.split("|")[3].strip() for line in lines[2:]} == {"worker", "raylet", "driver"}

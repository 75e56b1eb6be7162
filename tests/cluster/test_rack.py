"""A cluster on three hosts, by `gensweep cluster` and `gensweep submit`, as a person would type it.

The tests go on where the one before ended: up, the nodes' doors, a sweep, the loss of a worker, the loss of the head.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import hosts
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(900)]
SWEEP = ["run", "gan", "--epochs", "2", "--every", "1", "--cpus-per-trial", "1", "--scheduler", "none", "--set", "width=16", "--seed", "3"]


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[hosts.Rack]:
    reason = hosts.missing()
    if reason:
        pytest.skip(f"no hosts can be made here: {reason}")
    with hosts.rack(tmp_path_factory.mktemp("rack"), 3, Path(sys.executable)) as made:
        yield made


def gensweep(rack: hosts.Rack, *words: object, code: int = 0, timeout: float = 300.0) -> str:
    """What a command prints on the laptop; it must end with this code."""
    command = [sys.executable, "-m", "gensweep", *map(str, words)]
    done = subprocess.run(
        command, env=rack.environment(), cwd=rack.laptop, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == code, f"{words}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_all_hosts_join(rack: hosts.Rack) -> None:
    file = rack.file()
    began = time.monotonic()
    said = gensweep(rack, "cluster", "up", file, "--wait", 3, "--timeout", "3m")
    print(f"up in {time.monotonic() - began:.0f} s")
    assert set(re.findall(r"node \d of 3: (h\d)", said)) == {"h1", "h2", "h3"}
    assert "all write to /mnt/gensweep" in said
    assert (rack.laptop / ".ray/auth_token").stat().st_mode & 0o777 == 0o600

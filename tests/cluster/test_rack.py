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
SWEEP = ["run", "gan", "--epochs", "2", "--scheduler", "none", "--set", "width=16", "--seed", "3"]


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


def look(rack: hosts.Rack, code: str, **environment: str) -> str:
    """What a Python program on the laptop says, which is no node of the cluster, or its last line of error."""
    env = {**rack.environment(), "HOME": str(rack.shared), **environment}  # no token but what is named
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    return (done.stdout.strip() or done.stderr.strip()).splitlines()[-1]


@pytest.mark.parametrize("token", [None, "wrong" * 8, "right"])
def test_only_the_token_opens_the_cluster(rack: hosts.Rack, token: str | None) -> None:
    right = (rack.laptop / ".ray/auth_token").read_text(encoding="utf-8")
    given = {"RAY_AUTH_MODE": "disabled"}
    if token is not None:
        given = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": right if token == "right" else token}
    code = (
        f"from ray._raylet import GcsClient; print(len(GcsClient('{rack.hosts[0].address}:6379').get_all_node_info()))"
    )
    said = look(rack, code, **given)
    assert said == "3" if token == "right" else "Unauthenticated" in said or "InvalidAuthToken" in said, said


def test_dashboard_and_jobs_are_on_the_heads_loopback(rack: hosts.Rack) -> None:
    listening = rack.hosts[0].run("ss", "-Hltn", "sport = :8265").split()
    assert [word for word in listening if word.endswith(":8265")] == ["127.0.0.1:8265"]
    asking = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:8265/api/jobs/"]
    assert rack.hosts[0].run(*asking) == "401"

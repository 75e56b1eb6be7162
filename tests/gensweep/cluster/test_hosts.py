"""A cluster on three hosts, by `gensweep cluster` and `gensweep submit`, as a person would type it.

The tests go on where the one before ended: up, the nodes' doors, a sweep, the loss of a worker, the loss of the head.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import ROOT, hosts
from helpers.hosts import SWEEP, begin, gensweep

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[hosts.Rack]:
    reason = hosts.missing()
    if reason:
        pytest.skip(f"needs hosts of network namespaces: {reason}")
    with hosts.rack(tmp_path_factory.mktemp("rack"), 3, Path(sys.executable)) as made:
        yield made


def test_hosts__all_join(rack: hosts.Rack) -> None:
    file = rack.file()
    began = time.monotonic()
    said = gensweep(rack, "cluster", "up", file, "--wait", 3, "--timeout", "3m")
    print(f"up in {time.monotonic() - began:.0f} s")
    assert set(re.findall(r"node \d of 3: (h\d)", said)) == {"h1", "h2", "h3"}
    assert "all write to /mnt/gensweep" in said
    assert (rack.laptop / ".ray/auth_token").stat().st_mode & 0o777 == 0o600


def look(rack: hosts.Rack, code: str, *words: str, **environment: str) -> str:
    """What a Python program on the laptop says, which is no node of the cluster, or its last line of error."""
    env = {**rack.environment(), "HOME": str(rack.shared), **environment}  # no token but what is named
    done = subprocess.run([sys.executable, "-c", code, *words], env=env, capture_output=True, text=True, timeout=60)
    return (done.stdout.strip() or done.stderr.strip()).splitlines()[-1]


@pytest.mark.parametrize("token", [None, "wrong" * 8, "right"])
def test_hosts__only_the_token_opens_the_cluster(rack: hosts.Rack, token: str | None) -> None:
    right = (rack.laptop / ".ray/auth_token").read_text(encoding="utf-8")
    given = {"RAY_AUTH_MODE": "disabled"}
    if token is not None:
        given = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": right if token == "right" else token}
    code = (
        f"from ray._raylet import GcsClient; print(len(GcsClient('{rack.hosts[0].address}:6379').get_all_node_info()))"
    )
    said = look(rack, code, **given)
    assert said == "3" if token == "right" else "Unauthenticated" in said or "InvalidAuthToken" in said, said


def test_hosts__dashboard_on_loopback_only(rack: hosts.Rack) -> None:
    listening = rack.hosts[0].run("ss", "-Hltn", "sport = :8265").split()
    assert [word for word in listening if word.endswith(":8265")] == ["127.0.0.1:8265"]
    asking = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:8265/api/jobs/"]
    assert rack.hosts[0].run(*asking) == "401"


def test_hosts__no_port_answers_without_the_token(rack: hosts.Rack) -> None:
    for host in rack.hosts:
        listening = [line.split()[3] for line in host.run("ss", "-Hltn").splitlines()]
        ports = {one.rpartition(":")[2] for one in listening if "127.0.0.1" not in one} - {"22"}
        assert len(ports) > 3
        program = (ROOT / "tests/helpers/ports.py").read_text(encoding="utf-8")
        found = json.loads(look(rack, program, host.address, *sorted(ports), RAY_AUTH_MODE="disabled"))
        print(host.name, found)
        assert {verdict for _, verdict in found.values()} == {"refused"}, found


def rows(rack: hosts.Rack, name: str) -> list[str]:
    """The host of every row that a sweep has written so far."""
    paths = sorted((rack.shared / "gensweep" / name / "trials").glob("*/rows.jsonl"))
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines(keepends=True)]
    return [json.loads(line)["host"] for line in lines if line.endswith("\n")]


def wait_for(rack: hosts.Rack, name: str, host: str, n: int, process: "subprocess.Popen[str]") -> None:
    """Until a host has written n rows of a sweep."""
    end = time.monotonic() + 180
    while rows(rack, name).count(host) < n:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"{host} has written {rows(rack, name)}"
        time.sleep(0.2)


def check_sweep(rack: hosts.Rack, name: str, trials: int) -> str:
    """What is lost or doubled in a sweep, or differs from a solo replay of its parameters and seeds."""
    command = [sys.executable, str(ROOT / "scripts/check_sweep.py"), str(rack.shared / "gensweep" / name), str(trials)]
    return subprocess.run(command, env=rack.environment(), capture_output=True, text=True, timeout=600).stdout


def test_hosts__trials_run_on_every_host(rack: hosts.Rack) -> None:
    said = gensweep(rack, "submit", rack.file(), "--", *SWEEP, "--set", "epochs=2", "--trials", 9, "--name", "all")
    assert "3 nodes with 3 cores, 0 GPUs: 3 trials at once, 1 core each" in said
    assert "9 of 9 trials ended: 9 done" in said
    assert set(rows(rack, "all")) == {"h1", "h2", "h3"}
    here = f"gensweep submit {rack.file()} --"
    assert said.splitlines()[-1] == f"next: {here} report all"
    assert "9 done" in gensweep(rack, "submit", rack.file(), "--", "status", "all")
    assert "no driver is running all" in gensweep(rack, "submit", rack.file(), "--", "stop", "all", code=2)
    gensweep(rack, "fetch", rack.file(), "all")
    best = json.loads(gensweep(rack, "best", "results/all", "--json"))
    assert len(best) == 5


def test_hosts__lost_worker(rack: hosts.Rack) -> None:
    process = begin(rack, "submit", rack.file(), "--", *SWEEP, "--set", "epochs=6", "--trials", 24, "--name", "worker")
    wait_for(rack, "worker", "h3", 2, process)
    rack.hosts[2].kill()
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    assert "24 of 24 trials ended: 24 done" in said
    assert check_sweep(rack, "worker", 24) == "sound\n"


def test_hosts__lost_head(rack: hosts.Rack) -> None:
    process = begin(rack, "submit", rack.file(), "--", *SWEEP, "--set", "epochs=6", "--trials", 24, "--name", "head")
    wait_for(rack, "head", "h2", 2, process)
    rack.hosts[0].kill()
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the connection to the head ended" in said
    file = rack.file(head=1, workers=())
    gensweep(rack, "cluster", "up", file, "--wait", 1, "--timeout", "2m")
    assert "24 of 24 trials ended: 24 done" in gensweep(rack, "submit", file, "--", "resume", "head", timeout=600)
    assert check_sweep(rack, "head", 24) == "sound\n"


def test_hosts__nothing_left_after_down(rack: hosts.Rack) -> None:
    assert rack.hosts[1].processes()
    assert "no Ray process is left on 1 machines" in gensweep(rack, "cluster", "down", rack.file(head=1, workers=()))
    assert rack.hosts[1].processes() == []
    assert "could not be reached, and Ray may still be running there" in gensweep(
        rack, "cluster", "down", rack.file(), code=1
    )

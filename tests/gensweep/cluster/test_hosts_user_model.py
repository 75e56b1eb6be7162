"""A user's own model on a cluster: its file and its modules lie on the head alone, and every host trains it."""

import json
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import hosts
from helpers.hosts import gensweep
from helpers.user_files import write_code

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(1500)]
PLACE = "/run/code"  # /run is each host's own


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[hosts.Rack]:
    reason = hosts.missing()
    if reason:
        pytest.skip(f"needs hosts of network namespaces: {reason}")
    with hosts.rack(tmp_path_factory.mktemp("rack"), 2, Path(sys.executable)) as made:
        yield made


def test_hosts_user_model__trained_everywhere(rack: hosts.Rack, tmp_path: Path) -> None:
    write_code(tmp_path / "code")
    for path in sorted((tmp_path / "code").rglob("*.py")):
        name = f"{PLACE}/{path.relative_to(tmp_path / 'code')}"
        text = shlex.quote(path.read_text())
        rack.hosts[0].run("sh", "-c", f"mkdir -p $(dirname {name}) && printf %s {text} > {name}")
    file = rack.file(workers=(1,))
    gensweep(rack, "cluster", "up", file, "--wait", 2, "--timeout", "5m", timeout=600)
    began = time.monotonic()
    words = ["run", f"{PLACE}/my_model.py", "--code", PLACE, "--trials", 6, "--scheduler", "none", "--name", "mine"]
    said = gensweep(rack, "submit", file, "--", *words, timeout=900)
    print(f"6 trials on 2 hosts in {time.monotonic() - began:.0f} s")
    assert "6 of 6 trials ended: 6 done" in said
    sweep = rack.shared / "gensweep" / "mine"
    rows = [json.loads(line) for path in sweep.glob("trials/*/rows.jsonl") for line in path.read_text().splitlines()]
    assert {row["host"] for row in rows} == {"h1", "h2"}
    assert "No such file" in rack.hosts[1].run("sh", "-c", f"ls {PLACE} 2>&1 || true")
    assert json.loads((sweep / "sweep.json").read_text())["user_model"]["code"]["path"] == PLACE

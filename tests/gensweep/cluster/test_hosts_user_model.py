"""A user's own model on a cluster: `submit` sends its file and its modules, and every host trains it."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import hosts
from helpers.hosts import gensweep
from helpers.user_files import write_code

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[hosts.Rack]:
    reason = hosts.missing()
    if reason:
        pytest.skip(f"needs hosts of network namespaces: {reason}")
    with hosts.rack(tmp_path_factory.mktemp("rack"), 2, Path(sys.executable)) as made:
        yield made


def test_hosts_user_model__trained_everywhere(rack: hosts.Rack, tmp_path: Path) -> None:
    place = tmp_path / "code"  # on no host
    write_code(place)
    file = rack.file(workers=(1,))
    gensweep(rack, "cluster", "up", file, "--wait", 2, "--timeout", "5m", timeout=600)
    began = time.monotonic()
    words = ["run", place / "my_model.py", "--code", place, "--trials", 6, "--scheduler", "none", "--name", "mine"]
    said = gensweep(rack, "submit", file, "--", *words, timeout=900)
    print(f"6 trials on 2 hosts in {time.monotonic() - began:.0f} s")
    assert "6 of 6 trials ended: 6 done" in said
    sweep = rack.shared / "gensweep" / "mine"
    rows = [json.loads(line) for path in sweep.glob("trials/*/rows.jsonl") for line in path.read_text().splitlines()]
    assert {row["host"] for row in rows} == {"h1", "h2"}
    about = json.loads((sweep / "sweep.json").read_text())["user_model"]
    assert about["path"].startswith(".gensweep-sent/")
    named = ["--model", place / "my_model.py", "--code", place]
    said = gensweep(rack, "submit", file, "--", "extend", "mine", *named, "--trials", 1, timeout=600)
    assert "7 of 7 trials ended: 7 done" in said
    (place / "my_model.py").write_text((place / "my_model.py").read_text() + "# changed\n")
    said = gensweep(rack, "submit", file, "--", "resume", "mine", *named, code=2)
    assert "is not the file that" in said

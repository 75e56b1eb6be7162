"""A cluster whose hosts share no folder: everything is in a bucket, on an S3 server beside them (moto)."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import hosts
from helpers.hosts import SWEEP, begin, gensweep
from helpers.s3 import KEYS

from trainables.filestore import open_directory

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[hosts.Rack]:
    moto = pytest.importorskip("moto.server")
    reason = hosts.missing()
    if reason:
        pytest.skip(f"needs hosts of network namespaces: {reason}")
    servers: list[Any] = []

    def serve(address: str) -> dict[str, str]:
        servers.append(moto.ThreadedMotoServer(ip_address=address, port=0, verbose=False))
        servers[0].start()
        return {**KEYS, "AWS_ENDPOINT_URL": f"http://{address}:{servers[0].get_host_and_port()[1]}"}

    try:
        with (
            hosts.rack(tmp_path_factory.mktemp("rack"), 2, Path(sys.executable), serve) as made,
            pytest.MonkeyPatch.context() as patch,
        ):
            for key, value in made.known.items():
                patch.setenv(key, value)
            yield made
    finally:
        for server in servers:
            server.stop()


def test_hosts_bucket__lost_head(rack: hosts.Rack) -> None:
    from pyarrow import fs

    address = rack.known["AWS_ENDPOINT_URL"].removeprefix("http://")
    files = fs.S3FileSystem(endpoint_override=address, scheme="http", allow_bucket_creation=True)
    files.create_dir("lab")
    file, where = rack.file(workers=(1,), results="s3://lab/results"), open_directory("s3://lab/results/gone")
    assert "all write to s3://lab/results" in gensweep(rack, "cluster", "up", file, "--wait", 2, "--timeout", "3m")
    words = [*SWEEP, "--set", "epochs=4", "--trials", 8, "--name", "gone"]
    process = begin(rack, "submit", file, "--", *words)
    assert process.stdout is not None
    for line in process.stdout:
        if "  done " in line:
            break
    rack.hosts[0].kill()
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the connection to the head ended" in said
    file = rack.file(head=1, workers=(), results="s3://lab/results")
    gensweep(rack, "cluster", "up", file, "--wait", 1, "--timeout", "2m")
    assert "8 of 8 trials ended: 8 done" in gensweep(rack, "submit", file, "--", "resume", "gone", timeout=400)
    lines = [where.read(f"trials/{n}/rows.jsonl").decode().splitlines() for n in where.names("trials")]
    assert [[json.loads(line)["epoch"] for line in own] for own in lines] == [[1, 2, 3, 4]] * 8
    assert {json.loads(line)["host"] for own in lines for line in own} == {"h1", "h2"}
    assert f"gensweep best {where.name}" in gensweep(rack, "fetch", file, "gone", code=2)
    assert "rank" in gensweep(rack, "best", where.name)
    assert "no Ray process is left on 1 machines" in gensweep(rack, "cluster", "down", file)

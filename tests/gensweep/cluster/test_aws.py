"""`ray up cluster.yaml` against a server that plays AWS (moto), on loopback.

ssh and rsync are recorded instead of run, since the machines of moto are only records.
"""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import ROOT, launcher_internals

from gensweep import __version__
from gensweep.cli.cluster_commands import make_token
from gensweep.cluster.remote import RAY, ray_environment

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
RECORD = r"""#!/bin/sh
printf '%s\n' "$(basename "$0") $*" >> "$LOG"
case "$*" in
    *"json .Config.Env"*) echo '["HOME=/home/ray"]';;
    *.State.Running*) echo false;;
    *"printenv HOME"*) echo /home/ray;;
    *whoami*) echo ray;;
esac
"""
KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-west-2"}


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")  # Ray gives the head two of Amazon's own
        moto = pytest.importorskip("moto.server")
        server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        afresh = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
        urllib.request.urlopen(afresh, timeout=60).close()  # another test's server may have begun without the policies
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture(scope="module")
def laptop(cloud: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home after `ray up cluster.yaml`, with what was sent to the head in `log`."""
    home = tmp_path_factory.mktemp("laptop")
    for name in ("ssh", "rsync"):
        (home / name).write_text(RECORD, encoding="utf-8")
        (home / name).chmod(0o755)
    (home / "dist").mkdir()
    (home / f"dist/gensweep-{__version__}-py3-none-any.whl").touch()
    text = (ROOT / "cluster.yaml").read_text(encoding="utf-8")
    (home / "cluster.yaml").write_text(text.replace("ami-0000", "ami-1234").replace("fs-0000", "fs-1234"))
    with pytest.MonkeyPatch.context() as patch:
        more = {**KEYS, "HOME": home, "AWS_ENDPOINT_URL": cloud, "LOG": home / "log", "RAY_TMPDIR": home / "ray"}
        more["TMPDIR"] = home / "tmp"  # where Ray keeps what it has once resolved with a cloud
        (home / "tmp").mkdir()
        more["PATH"] = f"{home}:{os.environ['PATH']}"
        for key, value in more.items():
            patch.setenv(key, str(value))
        make_token()
        config = yaml.safe_load((home / "cluster.yaml").read_text(encoding="utf-8"))
        create_worker = [sys.executable, launcher_internals.__file__, "cluster.yaml"]
        for command in ([*RAY, "up", "--yes", "cluster.yaml"], create_worker):
            done = subprocess.run(
                command, env=ray_environment(config), cwd=home, capture_output=True, text=True, timeout=240
            )
            assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        yield home


def machines(cloud: str) -> dict[str, list[dict[str, Any]]]:
    """The machines that EC2 was asked for, by the name of their node type."""
    import boto3

    client = boto3.client("ec2", endpoint_url=cloud, region_name="us-west-2")
    found: dict[str, list[dict[str, Any]]] = {}
    for reservation in client.describe_instances()["Reservations"]:
        for machine in reservation["Instances"]:
            tags = {tag["Key"]: tag["Value"] for tag in machine["Tags"]}
            found.setdefault(tags["ray-user-node-type"], []).append(machine)
    return found


def test_aws__on_demand_head_and_spot_workers(laptop: Path, cloud: str) -> None:
    found = machines(cloud)
    assert {name: len(of) for name, of in found.items()} == {"head": 1, "gpu_worker": 1}
    assert {one["InstanceType"] for one in found["head"]} == {"m5.xlarge"}
    assert {one["InstanceType"] for one in found["gpu_worker"]} == {"g4dn.xlarge"}
    assert {one.get("InstanceLifecycle") for one in found["gpu_worker"]} == {"spot"}
    assert {one.get("InstanceLifecycle") for one in found["head"]} == {None}
    assert {one["ImageId"] for of in found.values() for one in of} == {"ami-12340000000000000"}


def test_aws__only_ssh_is_open(laptop: Path, cloud: str) -> None:
    import boto3

    client = boto3.client("ec2", endpoint_url=cloud, region_name="us-west-2")
    (group,) = {one["SecurityGroups"][0]["GroupId"] for of in machines(cloud).values() for one in of}
    rules = client.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    public = {(rule.get("FromPort"), rule.get("ToPort")) for rule in rules if rule["IpRanges"]}
    assert public == {(22, 22)}


def test_aws__head_gets_wheel_token_and_start_command(laptop: Path) -> None:
    lines = (laptop / "log").read_text(encoding="utf-8").splitlines()
    sent = " ".join(line for line in lines if line.startswith("rsync"))
    assert " dist/ " in sent
    assert str(laptop / ".ray/auth_token") in sent
    assert "docker run" in "\n".join(lines)
    assert "--env RAY_AUTH_MODE=token" in "\n".join(lines)
    (start,) = [line for line in lines if "ray start --head" in line]
    assert "--autoscaling-config=/home/ray/ray_bootstrap_config.yaml" in start
    token = (laptop / ".ray/auth_token").read_text(encoding="utf-8")
    assert token not in "\n".join(lines)

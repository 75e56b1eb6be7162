"""The cluster files against Ray's own reader and schema, offline, and against what pyproject.toml promises.

What `gensweep cluster check` finds in broken ones is in test_validate.py.
"""

import re
from importlib.metadata import version
from typing import Any

import pytest
import yaml
from helpers import ROOT
from helpers.launcher_internals import prepared, provider_names
from jsonschema import ValidationError

from gensweep.cli.cluster_commands import in_bucket
from gensweep.cluster.validate import PROVIDERS

FILES = ["cluster.yaml", "deploy/onprem.yaml"]


def read(name: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return config


@pytest.mark.parametrize("name", FILES)
def test_shipped_files__ray_accepts(name: str) -> None:
    assert prepared(read(name))["cluster_name"] == read(name)["cluster_name"]


@pytest.mark.parametrize("name", FILES)
def test_shipped_files__ray_refuses_a_misspelt_key(name: str) -> None:
    with pytest.raises(ValidationError, match="idle_timeout_minuets"):
        prepared({**read(name), "idle_timeout_minuets": 5})


@pytest.mark.parametrize("name", FILES)
def test_shipped_files__every_node_gets_ray_and_gensweep(name: str) -> None:
    whole = prepared(read(name))
    for commands in (whole["head_setup_commands"], whole["worker_setup_commands"]):
        text = "\n".join(commands)
        assert f'"ray[default,tune]=={version("ray")}"' in text
        assert "~/gensweep/gensweep-*.whl" in text
    assert whole["file_mounts"]["~/gensweep"] == "dist"


@pytest.mark.parametrize("name", FILES)
def test_shipped_files__every_node_asks_for_the_token(name: str) -> None:
    whole = prepared(read(name))
    assert whole["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    # of all nodes: in the container's environment, or in the shell that every command of Ray's goes through
    everywhere = [*whole["docker"].get("run_options", []), *whole["initialization_commands"]]
    assert set(re.findall(r"RAY_AUTH_MODE=(\w+)", "\n".join(everywhere))) == {"token"}


def test_shipped_files__aws_images_pinned() -> None:
    whole = prepared(read("cluster.yaml"))
    for image in (whole["docker"]["image"], whole["docker"]["head_image"]):
        assert image.startswith(f"rayproject/ray:{version('ray')}-py311-")
    for kind in whole["available_node_types"].values():
        assert re.fullmatch(r"ami-[0-9a-f]{17}", kind["node_config"]["ImageId"])


def test_shipped_files__aws_gpu_workers_are_spot() -> None:
    kinds = prepared(read("cluster.yaml"))["available_node_types"]
    assert kinds["head"]["resources"] == {"CPU": 0}
    assert kinds["gpu_worker"]["resources"]["GPU"] == 1
    assert kinds["gpu_worker"]["min_workers"] == 0
    assert kinds["gpu_worker"]["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("resume gone", "resume s3://lab/gone"),
        ("resume s3://lab/gone", "resume s3://lab/gone"),
        ("best best --top 3", "best s3://lab/best --top 3"),
        ("compare one one", "compare s3://lab/one s3://lab/one"),
        ("export gone -o gone", "export s3://lab/gone -o gone"),
        ("run gan --name gone --warm-from=old", "run gan --name gone --warm-from=s3://lab/old"),
        ("run gan --warm-from old --seed 1", "run gan --warm-from s3://lab/old --seed 1"),
    ],
)
def test_submit__sweep_in_a_bucket_by_name(typed: str, sent: str) -> None:
    assert in_bucket(typed.split(), "s3://lab") == sent.split()


def test_shipped_files__onprem_starts_every_worker() -> None:
    whole = prepared(read("deploy/onprem.yaml"))
    hosts = whole["provider"]["worker_ips"]
    kind = whole["available_node_types"][whole["head_node_type"]]
    assert kind["min_workers"] == kind["max_workers"] == len(hosts)


def test_providers_are_rays() -> None:
    assert set(PROVIDERS) == provider_names()

"""What of Ray's cluster launcher is private: tests compare our cluster files with what Ray itself makes of them.

As a program, creates one worker of type `gpu_worker` as the autoscaler on a head would.
"""

import copy
import sys
from pathlib import Path
from typing import Any

import yaml


def prepared(config: dict[str, Any]) -> dict[str, Any]:
    """Return what `ray up` makes of a file before it asks any cloud: defaults filled in, schema checked."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    whole: dict[str, Any] = prepare_config(copy.deepcopy(config))
    validate_config(whole)
    return whole


def provider_names() -> set[str]:
    """Return the providers that this Ray knows."""
    from ray.autoscaler._private.providers import _NODE_PROVIDERS

    return set(_NODE_PROVIDERS)


def create_worker(path: str) -> None:
    """Create one worker of the cluster in a file."""
    from ray.autoscaler._private.commands import _bootstrap_config
    from ray.autoscaler._private.providers import _get_node_provider

    config = _bootstrap_config(yaml.safe_load(Path(path).read_text(encoding="utf-8")), no_config_cache=True)
    provider = _get_node_provider(config["provider"], config["cluster_name"])
    node_config = config["available_node_types"]["gpu_worker"]["node_config"]
    provider.create_node(node_config, {"ray-node-type": "worker", "ray-user-node-type": "gpu_worker"}, 1)


if __name__ == "__main__":
    create_worker(sys.argv[1])

"""Everything of Ray that is not its public API, each with the reason and what happens if a later Ray lacks it.

Tested with the Ray of `TESTED`; another one gets a line of warning, not an error.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TESTED = (2, 60)  # major, minor
NODE_LABEL = "ray.io/node-id"  # Ray gives it to each node
ADDRESS = re.compile(r"\bip[:=] ?([^\s,]+)")  # in the text of a dead actor, and of an error in a task
LOW_ON_MEMORY = "low on memory"  # in what Ray's memory monitor says of a worker that it ended


def version_note() -> str | None:
    """Return a line for the user if this Ray is not one that the tests ran with."""
    import ray

    numbers = re.match(r"(\d+)\.(\d+)", ray.__version__)
    if numbers and (int(numbers[1]), int(numbers[2])) == TESTED:
        return None
    return f"ray {ray.__version__} is not the tested version ({'.'.join(map(str, TESTED))}): watch for odd behaviour"


def draining_nodes() -> set[str]:
    """Return the ids of nodes that are about to stop. Ray has no public list; without it no node is."""
    try:
        from ray._private.state import state

        return set(state.get_draining_nodes())
    except (ImportError, AttributeError):
        return set()


def autoscaler_groups() -> list[tuple[Mapping[str, float], int]]:
    """Return what each group of an autoscaler has: resources of a node, and the largest number of nodes (-1: no limit).
    Ray has no public way to ask; without it a cluster counts as what it is now."""
    try:
        from ray._private.state import state

        config = state.get_cluster_config()
        groups = [] if config is None else config.node_group_configs
        return [(dict(group.resources), group.max_count) for group in groups]
    except (ImportError, AttributeError):
        return []


def dead_processes() -> list[str]:
    """Return which processes of our own Ray have died: `raylet`, `gcs_server`. What is public notices it ten seconds
    later; without this, Ray itself ends the driver by and by. Empty on a cluster that is not ours."""
    try:
        from ray._private import worker

        node: Any = worker._global_node
        return [] if node is None else [kind for kind, _ in node.dead_processes()]
    except (ImportError, AttributeError):
        return []


def has_failed(trial: Any) -> bool:
    """Return whether a trial of Tune is a retry. Tune reports it nowhere else; without it, a retry is assigned anew."""
    return bool(getattr(getattr(trial, "run_metadata", None), "error_filename", None))


def last_error(trial: Any) -> str:
    """Return the text of a trial's last error, which Tune only writes to a file; without it, nothing."""
    try:
        return Path(trial.error_file).read_text(encoding="utf-8").rpartition("Failure #")[2]
    except (AttributeError, TypeError, OSError):
        return ""


def address_in(error_text: str) -> str | None:
    """Return the address of the node on which an error happened, if its text says so: Ray reports it in no other way,
    and not at all if the whole node is gone."""
    address = ADDRESS.search(error_text)
    return address[1] if address else None


def raised_line(error_text: str) -> str | None:
    """Return the last line of an error that the trial raised; None if its worker died."""
    return error_text.strip().splitlines()[-1] if "ray::" in error_text else None


def keep_off(trial: Any, nodes: Sequence[str]) -> None:
    """Let Tune start a trial that waits on other nodes only. Node labels in a placement group are alpha in Ray; without
    them a trial may start anywhere."""
    from ray.tune import PlacementGroupFactory

    bundles = trial.placement_group_factory.bundles
    request = PlacementGroupFactory(bundles)
    if nodes:
        try:
            selector = {NODE_LABEL: f"!in({','.join(sorted(nodes))})"}
            request = PlacementGroupFactory(bundles, bundle_label_selector=[selector])
        except TypeError:
            return
    if request != trial.placement_group_factory:
        trial.update_resources(request)

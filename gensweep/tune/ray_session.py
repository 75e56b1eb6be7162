"""Start or join the Ray that a sweep runs on: one of its own by default, a cluster only if the user names one."""

import logging
import os
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from gensweep.config.options import first_line
from gensweep.errors import UserError
from gensweep.import_hook import ROOT
from gensweep.tune import ray_internals, ray_watchdog
from gensweep.tune.resources import Node

ENVIRONMENT = {  # read by Ray when it starts, and by Tune as it runs
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output engine prints a header even at verbose=0
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a trial without a GPU sees none
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # no raylet's paragraphs between our lines; read as Ray is imported
    # glibc adapts its own limits up to blocks of 32 MB: then what an evaluation frees stays resident, some 600 MB. The
    # second is for speed: with the first alone every training step returns its memory and faults it in again.
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # trials write their own rows
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # ours leaves the open trials open, for resume
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",  # failures are classified, one line each
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",  # Tune's snapshots are never read
}
CONNECT_TIMEOUT_S = 5.0
MAX_GROUP_NODES = 1000  # of a group that may grow without end
_held = False  # whether the Ray of this process is ours


@contextmanager
def ray_environment() -> Generator[None]:
    """Put Ray's settings into the environment, which the workers of our own Ray inherit, and restore it at the end."""
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    if ROOT.name not in ("site-packages", "dist-packages"):  # a checkout: workers must import the same files
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), before.get("PYTHONPATH")]))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def connect(address: str | None, ray_init: Mapping[str, Any]) -> Generator[list[Node]]:
    """Connect to Ray for the length of a sweep, and give what each node has. `address` joins a cluster (so does
    RAY_ADDRESS). Inside another `connect` the outer one's Ray is used, so that several sweeps share one.

    Raises:
        UserError: no cluster answers there, or this process has started a Ray of its own.
    """
    global _held
    import ray

    if ray.is_initialized():
        if not _held:
            raise UserError("this process has started Ray already: call ray.shutdown() before a sweep")
        yield node_resources()
        return
    where = address or os.environ.get("RAY_ADDRESS") or "local"
    arguments = dict(ray_init)
    if where == "local":
        arguments = {"include_dashboard": False, **arguments}
    _start(where, arguments)
    _held = True
    try:
        with ray_watchdog.watch_ray():
            yield node_resources()
    finally:
        _held = False


def node_resources() -> list[Node]:
    """Return what each node has; of a cluster that grows with its work, what each may have once it has grown."""
    return max_autoscaled_nodes() or _now()


def is_one_machine() -> bool:
    """Return whether all trials run on the machine of this process, now and later."""
    import ray

    if not ray.is_initialized():
        return False
    alive = [node["NodeID"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    here: str = ray.get_runtime_context().get_node_id()
    return alive == [here] and not ray_internals.autoscaler_groups()


def max_autoscaled_nodes() -> list[Node]:
    """Return what each node may have once an autoscaler has added all it may; nothing if none adds any."""
    groups = ray_internals.autoscaler_groups()
    later: list[Node] = [resources for resources, max_count in groups for _ in range(_max_nodes(max_count))]
    return later if sum(map(_size, later)) > sum(map(_size, _now())) else []


def _now() -> list[Node]:
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


def _max_nodes(nodes: int) -> int:
    return MAX_GROUP_NODES if nodes < 0 else min(nodes, MAX_GROUP_NODES)  # -1: no limit


def _size(node: Node) -> float:
    return node.get("CPU", 0.0) + node.get("GPU", 0.0)


def _start(where: str, arguments: Mapping[str, Any]) -> None:
    """Call `ray.init`, and once again if Ray's 30 seconds were too short for a busy machine."""
    import ray

    is_local = where == "local"
    if not is_local:  # a cluster's workers do not inherit our environment
        arguments = {"runtime_env": {"env_vars": ENVIRONMENT}, **arguments}
    check_reachable(where)
    for last in (not is_local, True):
        try:
            ray.init(where, log_to_driver=False, logging_level=logging.CRITICAL, **arguments)
            return
        except Exception as error:  # Ray raises bare ones here
            ray.shutdown()
            if last:
                fault = "Ray does not start here" if is_local else f"address {where!r}: no Ray cluster answers there"
                raise UserError(f"{fault} ({first_line(error)})") from error


def check_reachable(address: str | None) -> None:
    """Raise UserError if nothing listens at HOST:PORT: Ray itself would try for three and a half minutes.

    Raises:
        UserError: nothing listens there.
    """
    if address is None or ":" not in address:
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), CONNECT_TIMEOUT_S).close()
    except (OSError, ValueError) as error:
        raise UserError(f"address {address!r}: no Ray cluster answers there ({first_line(error)})") from error

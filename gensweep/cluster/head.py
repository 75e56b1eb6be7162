"""The program that runs on the head of a cluster: wait for the nodes, or submit a command as a Ray job.

    python -m gensweep.cluster.head wait NODES SECONDS RESULTS [ADDRESS]
    python -m gensweep.cluster.head submit RESULTS WORD...

gensweep/cli/cluster_commands.py starts it there. The driver of a job runs on the head, so it goes on after the user
disconnects. Jobs go through Ray's dashboard, which listens only on the head's loopback address and requires the token.
"""

import asyncio
import logging
import re
import shlex
import sys
import time
import uuid
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gensweep.config.options import first_line
from gensweep.version import __version__
from trainables.filestore import is_url

JOBS_URL = "http://127.0.0.1:8265"
LOGS = Path("/tmp/ray/session_latest/logs")
POLL_S = 0.5
LOG_TAIL_LINES = 20  # lines of the autoscaler's log
LOG_NOISE = (
    *("autoscaler.py", "Resources", "Usage:", "Demands:"),  # the autoscaler's status, which does not report failures
    *("onnection to ", "Permanently added", "VINFO"),  # what ssh prints each time
)
RAY_LOG_LINE = re.compile(  # lines of Ray among those of the sweep
    r"[\d-]+ [\d:,]+\s+INFO (job_manager|sdk)\.py|Running entrypoint for job "
)
PACKAGES = ("ray", "torch", "optuna")


def main(words: list[str]) -> int:
    if words[0] == "wait":
        return wait_for_nodes(int(words[1]), float(words[2]), *words[3:])
    return asyncio.run(submit(words[1], words[2:]))


def wait_for_nodes(n: int, seconds: float, results: str, address: str = "auto") -> int:
    """Wait until n nodes have joined, then check that they have equal versions and share the folder of results.

    Returns:
        The exit code: 0 if all is well.
    """
    import ray

    began, announced = time.monotonic(), set()
    while not ray.is_initialized():
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL)
        except ConnectionError as error:  # the head itself is still starting
            if time.monotonic() - began > seconds:
                print(f"no head answers at {address}: {first_line(error)}")
                return 1
            time.sleep(POLL_S)
    while True:
        alive = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
        for node in alive:
            if node["NodeID"] not in announced:
                announced.add(node["NodeID"])
                name, resources = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})", node["Resources"]
                print(f"node {len(announced)} of {n}: {name},", end=" ")
                print(f"{resources.get('CPU', 0):g} cores, {resources.get('GPU', 0):g} GPUs", flush=True)
        if len(alive) >= n:
            break
        if time.monotonic() - began > seconds:
            print(f"only {len(alive)} of {n} nodes joined in {seconds:g} s; the last lines of the autoscaler's log:")
            print("\n".join(f"  {line}" for line in autoscaler_log_tail()))
            return 1
        time.sleep(POLL_S)
    faults = node_differences([probe_node(node["NodeID"], results) for node in alive], results)
    joined = f"{len(alive)} nodes joined in {time.monotonic() - began:.0f} s, and all write to {results}"
    print("\n".join(faults) or joined)
    return 1 if faults else 0


def autoscaler_log_tail() -> list[str]:
    """Return the last lines that the autoscaler, which starts the workers by ssh, logged about them."""
    lines: list[str] = []
    for name in ("monitor.log", "monitor.out", "monitor.err"):
        if (LOGS / name).exists():
            lines += (LOGS / name).read_text(encoding="utf-8", errors="replace").splitlines()
    relevant = [line for line in lines if line.strip() and not any(word in line for word in LOG_NOISE)]
    return relevant[-LOG_TAIL_LINES:] or ["(nothing)"]


def probe_here(results: str, name: str) -> dict[str, Any]:
    """Return the versions on this node, and why it cannot write to the results; leave a file there if it can."""
    import platform
    import socket

    def installed(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "none"

    from trainables.errors import UserError
    from trainables.filestore import open_directory

    fault = ""
    try:
        open_directory(results).write(name, socket.gethostname().encode())
    except UserError as error:
        fault = first_line(error.__cause__ or error)
    python = ".".join(platform.python_version_tuple()[:2])
    return {
        "host": socket.gethostname(),
        "fault": fault,
        "Python": python,
        **{name: installed(name) for name in PACKAGES},
    }


def probe_node(node: str, results: str) -> dict[str, Any]:
    """Run `probe_here` on a node, and return its answer with the name of the file that it left."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    name = f".probe-{uuid.uuid4().hex}"
    on_node = NodeAffinitySchedulingStrategy(node, soft=False)
    pending = ray.remote(probe_here).options(num_cpus=0, scheduling_strategy=on_node).remote(results, name)
    answer: dict[str, Any] = ray.get(pending)
    return {**answer, "file": name}


def node_differences(answers: list[dict[str, Any]], results: str) -> list[str]:
    """Return a line for each node that does not share the folder of results, and for each version that differs."""
    from trainables.filestore import open_directory

    faults, shared = [], open_directory(results)
    for answer in answers:
        if answer["fault"]:
            faults.append(f"{answer['host']} cannot write to {results}: {answer['fault']}")
        elif not shared.has(answer["file"]):
            faults.append(
                f"{answer['host']} writes to its own {results}, which the head cannot see: mount the shared one there"
            )
        else:
            shared.delete(answer["file"])
    for name in ("Python", *PACKAGES):
        versions = {answer["host"]: answer[name] for answer in answers}
        if len(set(versions.values())) > 1:
            faults.append(f"{name} differs: {', '.join(f'{host} has {text}' for host, text in versions.items())}")
    return faults


async def submit(results: str, words: list[str]) -> int:
    """Submit a command as a job, or find the job that already runs it, and print its output until it ends.

    Returns:
        The exit code of the command.
    """
    from ray.job_submission import JobStatus, JobSubmissionClient

    client = JobSubmissionClient(JOBS_URL)
    logging.getLogger(JobSubmissionClient.__module__).setLevel(logging.WARNING)
    home = Path.home() if is_url(results) else Path(results)
    home.mkdir(parents=True, exist_ok=True)
    line = f"cd {shlex.quote(str(home))} && exec {sys.executable} -m gensweep {shlex.join(words)}"
    running = [job for job in client.list_jobs() if job.entrypoint == line and not job.status.is_terminal()]
    if running:
        job_id = running[0].submission_id
    else:
        job_id = client.submit_job(entrypoint=line, metadata={"gensweep": __version__})
    assert job_id is not None
    print(f"{'following' if running else 'submitted as'} job {job_id}; it goes on if you disconnect", flush=True)
    async for text in client.tail_job_logs(job_id):
        lines = [line for line in text.splitlines(keepends=True) if not RAY_LOG_LINE.match(line)]
        print("".join(lines), end="", flush=True)
    ended = client.get_job_info(job_id)
    if ended.driver_exit_code is not None:
        return ended.driver_exit_code
    if ended.status != JobStatus.SUCCEEDED:
        print(f"the job ended: {ended.message}")
    return 0 if ended.status == JobStatus.SUCCEEDED else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

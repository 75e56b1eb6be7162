"""What runs on the head of a cluster, sent there by `launcher`: waits for the nodes, and submits a sweep as a Ray job.

    python -m gensweep.cluster.head wait NODES SECONDS RESULTS [ADDRESS]
    python -m gensweep.cluster.head submit RESULTS WORD...

A job's driver lives on the head, so that whoever submitted it may go. The dashboard, which takes jobs, listens on the
head's loopback alone, and asks for the token.
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
LOG_NOISE: tuple[str, ...] = (
    "autoscaler.py",
    "Resources",
    "Usage:",
    "Demands:",
)  # the autoscaler's status, which tells of no failure ...
LOG_NOISE += ("onnection to ", "Permanently added", "VINFO")  # ... and what ssh says each time
RAY_LOG_LINE = re.compile(
    r"[\d-]+ [\d:,]+\s+INFO (job_manager|sdk)\.py|Running entrypoint for job "
)  # no lines of the sweep's
PACKAGES = ("ray", "torch", "optuna")


def main(words: list[str]) -> int:
    if words[0] == "wait":
        return wait_for_nodes(int(words[1]), float(words[2]), *words[3:])
    return asyncio.run(submit(words[1], words[2:]))


def wait_for_nodes(n: int, seconds: float, results: str, address: str = "auto") -> int:
    """Waits until n nodes have joined, then asks each what it has and whether it can write to the shared folder."""
    import ray

    began, seen = time.monotonic(), set()
    while not ray.is_initialized():
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL)
        except ConnectionError as error:  # the head itself is on its way
            if time.monotonic() - began > seconds:
                print(f"no head answers at {address}: {first_line(error)}")
                return 1
            time.sleep(POLL_S)
    while True:
        alive = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
        for node in alive:
            if node["NodeID"] not in seen:
                seen.add(node["NodeID"])
                has = node["Resources"]
                print(
                    f"node {len(seen)} of {n}: {node['NodeManagerHostname']} ({node['NodeManagerAddress']}),", end=" "
                )
                print(f"{has.get('CPU', 0):g} cores, {has.get('GPU', 0):g} GPUs", flush=True)
        if len(alive) >= n:
            break
        if time.monotonic() - began > seconds:
            print(f"only {len(alive)} of {n} nodes joined in {seconds:g} s; the last lines of the head's log of them:")
            print("\n".join(f"  {line}" for line in autoscaler_log_tail()))
            return 1
        time.sleep(POLL_S)
    found = node_differences([probe_node(node["NodeID"], results) for node in alive], results)
    print(
        "\n".join(found) or f"{len(alive)} nodes joined in {time.monotonic() - began:.0f} s, and all write to {results}"
    )
    return 1 if found else 0


def autoscaler_log_tail() -> list[str]:
    """What the autoscaler, which starts the workers by ssh, said last of that."""
    lines: list[str] = []
    for name in ("monitor.log", "monitor.out", "monitor.err"):
        if (LOGS / name).exists():
            lines += (LOGS / name).read_text(encoding="utf-8", errors="replace").splitlines()
    kept = [line for line in lines if line.strip() and not any(word in line for word in LOG_NOISE)]
    return kept[-LOG_TAIL_LINES:] or ["(nothing)"]


def probe_here(results: str, name: str) -> dict[str, Any]:
    """What a node has, said from the node; it leaves a file in the shared folder."""
    import platform
    import socket

    def of(package: str) -> str:
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
    return {"host": socket.gethostname(), "fault": fault, "Python": python, **{one: of(one) for one in PACKAGES}}


def probe_node(node: str, results: str) -> dict[str, Any]:
    """The answer of a node to `probe`, and the name of the file that it left."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    name = f".probe-{uuid.uuid4().hex}"
    there = NodeAffinitySchedulingStrategy(node, soft=False)
    answer = ray.remote(probe_here).options(num_cpus=0, scheduling_strategy=there).remote(results, name)
    found: dict[str, Any] = ray.get(answer)
    return {**found, "file": name}


def node_differences(answers: list[dict[str, Any]], results: str) -> list[str]:
    """One line for each thing in which the nodes differ, and for each that does not share the folder of results."""
    from trainables.filestore import open_directory

    found, where = [], open_directory(results)
    for answer in answers:
        if answer["fault"]:
            found.append(f"{answer['host']} cannot write to {results}: {answer['fault']}")
        elif not where.has(answer["file"]):
            found.append(
                f"{answer['host']} writes to a {results} of its own, which the head does not see: mount it there"
            )
        else:
            where.delete(answer["file"])
    for name in ("Python", *PACKAGES):
        having = {answer["host"]: answer[name] for answer in answers}
        if len(set(having.values())) > 1:
            found.append(f"{name} differs: {', '.join(f'{host} has {one}' for host, one in having.items())}")
    return found


async def submit(results: str, words: list[str]) -> int:
    """Submits a command as a job, or finds the one that runs it already, and follows it to its end."""
    from ray.job_submission import JobStatus, JobSubmissionClient

    client = JobSubmissionClient(JOBS_URL)
    logging.getLogger(JobSubmissionClient.__module__).setLevel(logging.WARNING)
    home = Path.home() if is_url(results) else Path(results)
    home.mkdir(parents=True, exist_ok=True)
    line = f"cd {shlex.quote(str(home))} && exec {sys.executable} -m gensweep {shlex.join(words)}"
    running = [one for one in client.list_jobs() if one.entrypoint == line and not one.status.is_terminal()]
    job = (
        running[0].submission_id if running else client.submit_job(entrypoint=line, metadata={"gensweep": __version__})
    )
    assert job is not None
    print(f"{'following' if running else 'submitted as'} job {job}; it goes on without you", flush=True)
    async for text in client.tail_job_logs(job):
        print(
            "".join(line for line in text.splitlines(keepends=True) if not RAY_LOG_LINE.match(line)), end="", flush=True
        )
    ended = client.get_job_info(job)
    if ended.driver_exit_code is not None:
        return ended.driver_exit_code
    if ended.status != JobStatus.SUCCEEDED:
        print(f"the job ended: {ended.message}")
    return 0 if ended.status == JobStatus.SUCCEEDED else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

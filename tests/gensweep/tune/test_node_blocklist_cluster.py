"""Nodes that keep failing, or were told to stop, on a real Ray cluster: a head without cores and two nodes of one.

All nodes are on this machine and have its name, so that each gets an address of its own on the loopback.
"""

import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import ray
from helpers.command_line import rows
from helpers.launching import launched, told
from ray.cluster_utils import Cluster
from rich.console import Console

from gensweep.tune import node_blocklist, ray_session
from gensweep.tune.run_trial import train

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(900)]
GOOD, BAD = "127.0.0.2", "127.0.0.3"
STORE = 80 << 20  # bytes of each node's object store


@pytest.fixture(scope="module")
def made() -> Generator[Cluster]:
    import ray.cloudpickle

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
    with ray_session.ray_environment():
        head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
        nodes = Cluster(initialize_head=True, head_node_args=head)
        try:
            for address in (GOOD, BAD):
                nodes.add_node(num_cpus=1, object_store_memory=STORE, node_ip_address=address)
            with ray_session.connect(nodes.address, {}):
                yield nodes
        finally:
            nodes.shutdown()  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def whole(made: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep where nothing happens."""
    return swept(tmp_path_factory.mktemp("whole"), seen)[0]


def swept(
    results: Path,
    function: Callable[..., None],
    max_failures: int = 2,
    cause: str = "done",
    said: io.StringIO | None = None,
) -> tuple[Path, str]:
    """Six trials whose configurations do not depend on their order; the sweep, and what was said."""
    said = said or io.StringIO()
    more: dict[str, Any] = {"trials": 6, "sampler": "random", "max_failures": max_failures}
    sweep, ended = launched(results, function, concurrent=2, console=Console(file=said), **more)
    print(said.getvalue())
    assert ended.cause == cause
    return sweep, said.getvalue()


def begun(sweep: Path) -> list[tuple[str, str]]:
    """Where attempts began, in order: address and trial."""
    path = sweep / "begun.txt"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [(line.split()[0], line.split()[1]) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def seen(config: dict[str, Any], *, task: Any, **parts: Any) -> None:
    """A trial that says where it runs."""
    say(config, task)
    train(config, task=task, **parts)


def say(config: dict[str, Any], task: Any) -> None:
    with (Path(task.directory) / "begun.txt").open("a", encoding="utf-8") as file:
        file.write(f"{here()} {config['number']:04d}\n")


def here() -> str:
    return str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]


def wait(until: Callable[[], bool]) -> None:
    """However fast workers start: what is to happen on the other node happens before this goes on."""
    end = time.monotonic() + 120
    while not until() and time.monotonic() < end:
        time.sleep(0.05)


def doomed(config: dict[str, Any], *, task: Any, **parts: Any) -> None:
    """A trial whose worker dies as soon as it has a checkpoint, if it is on the bad node."""
    directory = Path(task.directory)
    folder = directory / "trials" / f"{config['number']:04d}"

    def watch() -> None:
        while not [*folder.glob("checkpoint_*.pt")]:
            time.sleep(0.002)
        os.kill(os.getpid(), signal.SIGKILL)

    if here() == BAD:
        threading.Thread(target=watch, daemon=True).start()
    else:
        wait(lambda: len([1 for at, _ in begun(directory) if at == BAD]) == 2)
    seen(config, task=task, **parts)


def test_a_node_that_keeps_failing_is_blocked(made: Cluster, whole: Path, tmp_path: Path) -> None:
    sweep, said = swept(tmp_path, doomed)
    pattern = r"^blocked    \S+ \((.+)\): 2 failures in a row there \(its worker died\);"
    assert re.findall(pattern, said, re.MULTILINE) == [BAD]
    assert "unblocked" not in said
    assert [at for at, _ in begun(sweep)].count(BAD) == 2  # none after it was blocked
    assert [one[0] for one in told(sweep)] == ["complete"] * 6
    assert rows(sweep) == rows(whole)


def lethal(config: dict[str, Any], *, task: Any, **parts: Any) -> None:
    """A trial 1 that kills its worker wherever it runs."""
    directory = Path(task.directory)
    if config["number"] == 1:
        say(config, task)
        os.kill(os.getpid(), signal.SIGKILL)
    if config["number"] == 0:
        wait(lambda: len(attempts(directory)) == 2)
        seen(config, task=task, **parts)
    else:
        seen(config, task=task, **parts)
        wait(lambda: len({at for at, _ in begun(directory)[attempts(directory)[-1] :]}) == 2)


def attempts(sweep: Path) -> list[int]:
    return [at for at, (_, trial) in enumerate(begun(sweep)) if trial == "0001"]


def test_a_trial_that_fails_everywhere_costs_no_node(made: Cluster, tmp_path: Path) -> None:
    sweep, said = swept(tmp_path, lethal)
    assert said.count("blocked    ") == said.count("unblocked") == 1
    assert [one[:2] for one in told(sweep)][1] == ("failed", "lost")
    assert [one[0] for one in told(sweep)].count("complete") == 5
    places = [at for at, _ in begun(sweep)]
    first, second, third = attempts(sweep)
    assert places[first] == places[second] != places[third]
    assert set(places[third + 1 :]) == {GOOD, BAD}


def held(config: dict[str, Any], *, task: Any, **parts: Any) -> None:
    """A trial that waits for the notice; on the bad node it gets no further than its first checkpoint."""
    from trainables.trial_files import TrialFiles

    save = TrialFiles.save_checkpoint

    def save_and_hang(self: TrialFiles, state: Any) -> None:
        save(self, state)
        time.sleep(600)

    if here() == BAD:
        TrialFiles.save_checkpoint = save_and_hang  # type: ignore[method-assign, assignment]
    say(config, task)
    wait((Path(task.directory) / "noticed").exists)
    train(config, task=task, **parts)


def test_a_node_that_was_told_to_stop_takes_no_more(made: Cluster, whole: Path, tmp_path: Path) -> None:
    (node,) = [node for node in made.worker_nodes if node.node_ip_address == BAD]
    words = ["--node-id", node.node_id, "--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "spot notice"]
    drain = [str(Path(sys.executable).with_name("ray")), "drain-node", "--address", made.address, *words]
    sweep = tmp_path / "vae-digits"

    def notice() -> None:
        wait(lambda: len(begun(sweep)) == 2)
        subprocess.run(drain, check=True)
        time.sleep(node_blocklist.POLL_S)
        (sweep / "noticed").touch()
        (trial,) = [trial for at, trial in begun(sweep) if at == BAD]
        wait(lambda: len(begun(sweep)) == 4 and (sweep / "trials" / trial / "rows.jsonl").exists())
        made.remove_node(node, allow_graceful=False)

    thread = threading.Thread(target=notice, daemon=True)
    thread.start()
    _, said = swept(tmp_path, held, max_failures=0)  # a loss that was announced is not the trial's failure
    thread.join()
    assert f"({BAD}): it is about to stop" in said
    assert [at for at, _ in begun(sweep)].count(BAD) == 1
    assert [one[0] for one in told(sweep)] == ["complete"] * 6
    assert rows(sweep) == rows(whole)


def test_a_sweep_ends_if_only_blocked_nodes_are_left(
    made: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_blocklist, "PATIENCE_S", 1.0)
    if all(node.node_ip_address != BAD for node in made.worker_nodes):  # the test before took it away
        made.add_node(num_cpus=1, object_store_memory=STORE, node_ip_address=BAD)
    (node,) = [node for node in made.worker_nodes if node.node_ip_address == GOOD]
    said = io.StringIO()

    def lose() -> None:
        while "blocked" not in said.getvalue():
            time.sleep(0.05)
        made.remove_node(node, allow_graceful=False)

    thread = threading.Thread(target=lose, daemon=True)
    thread.start()
    sweep, _ = swept(tmp_path, doomed, cause="open", said=said)
    thread.join()
    assert said.getvalue().endswith("only blocked nodes are left: the same command again tries them too\n")
    assert [one[0] for one in told(sweep)] == ["open", "open"]  # both wait where they were; nothing has failed

"""Nodes of a cluster that get no more trials of this sweep: those that keep failing, and those about to stop.

A node is blocked after failures of three different trials in a row, or two failures of the same trial, with no success
in between. It is unblocked if one of those trials also fails on another node (then the trial is at fault), or if a
trial succeeds on it. A block lasts for one launch and is a label in a trial's request: nothing happens to the node.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import ray

from gensweep.tune import ray_internals, ray_session
from gensweep.tune.not_pickled import NotPickled
from gensweep.tune.run_trial import OUT_OF_MEMORY

MIN_TRIALS = 3  # different ones that fail in a row
POLL_S = 2.0  # between two looks at the nodes of the cluster
PATIENCE_S = 60.0  # for another node to join, if all that are left are blocked
OWN_FAULT = (ray_internals.LOW_ON_MEMORY, *OUT_OF_MEMORY, "MemoryError")  # may be due to the configuration
MAX_LINE = 200  # characters of an error that are shown

Node = Mapping[str, Any]  # an entry of ray.nodes()


class Event(NamedTuple):
    """The end of an attempt of a trial on a node."""

    node: str
    trial: str
    ok: bool
    retried: bool = False  # whether the trial starts again, and so may fail elsewhere
    replaceable: bool = True  # whether another node can run trials


def blocked(events: Sequence[Event]) -> set[str]:
    """Return the nodes that are blocked after these events."""
    failures: dict[str, list[str]] = {}  # node -> trials that failed there since a success
    at_fault: set[str] = set()  # trials that fail on any node
    nodes: set[str] = set()
    for event in events:
        if not event.ok and event.trial not in at_fault and not _failed_elsewhere(event, failures):
            trials = failures.setdefault(event.node, [])
            trials.append(event.trial)
            twice = event.retried and trials.count(event.trial) > 1
            if event.replaceable and (twice or len(set(trials)) >= MIN_TRIALS):
                nodes.add(event.node)
            continue
        if event.ok:
            failures.pop(event.node, None)
        else:
            at_fault.add(event.trial)
            failures = {node: [trial for trial in trials if trial != event.trial] for node, trials in failures.items()}
        nodes = {node for node in nodes if _keeps_failing(failures.get(node, []))}
    return nodes


def failures_in_a_row(events: Sequence[Event], node: str) -> int:
    """Return how many attempts have failed on a node since one succeeded there."""
    return len(list(takewhile(lambda event: not event.ok, (event for event in reversed(events) if event.node == node))))


def _failed_elsewhere(event: Event, failures: Mapping[str, list[str]]) -> bool:
    return any(event.trial in trials for node, trials in failures.items() if node != event.node)


def _keeps_failing(trials: Sequence[str]) -> bool:
    return len(set(trials)) >= MIN_TRIALS or len(set(trials)) < len(trials)


class NodeBlocklist(NotPickled):
    """The events of this launch, and where its trials may start. `timed_out` says of a trial's number that it took too
    long, which ends its worker too."""

    def __init__(self, say: Callable[[str], None], timed_out: Callable[[int], bool] = lambda number: False) -> None:
        self._say, self._timed_out = say, timed_out
        self._events: list[Event] = []
        self._draining: set[str] = set()
        self._polled = self._counted = 0.0
        self._last_alternative = time.monotonic()  # when there was a node that is not blocked
        self._bundle: Mapping[str, float] = {}  # what a trial takes

    def on_failure(self, trial: Any, text: str) -> None:
        """Note that a trial of Tune has failed, with the error that Tune wrote down; assign it if it is retried."""
        address, retried = ray_internals.address_in(text), trial.status == "ERROR"
        if address and not any(words in text for words in OWN_FAULT) and not self._timed_out(trial.config["number"]):
            for node in _alive(address):
                shunned = blocked(self._events) | self._draining | {node["NodeID"]}
                event = Event(node["NodeID"], trial.trial_id, False, retried, self._has_node_outside(shunned))
                n = failures_in_a_row([*self._events, event], event.node)
                why = f"{n} failures in a row there ({_cause(text)})"
                self._note(event, why, f"trial {trial} fails on other nodes too")
        if retried:
            self.assign(trial)

    def on_success(self, result: Mapping[str, Any]) -> None:
        """Note that a trial has ended with this last row."""
        if not self._events or result["status"] != "ok":
            return
        for node in _alive(result["node_ip"]):
            self._note(Event(node["NodeID"], "", True), "", "a trial succeeded there")

    def assign(self, trial: Any) -> None:
        """Keep a trial that waits off blocked and draining nodes, if another node can run it."""
        self._poll()
        self._bundle = trial.placement_group_factory.bundles[0]
        shunned = blocked(self._events) | self._draining
        ray_internals.keep_off(trial, sorted(shunned) if self._has_node_outside(shunned) else [])

    def no_nodes_left(self) -> bool:
        """Return whether all nodes have been blocked for a while, with none to come: Ray would wait for ever."""
        now = time.monotonic()
        if not self._events or now - self._counted < POLL_S:
            return False
        self._counted = now
        nodes = blocked(self._events)
        if not nodes or self._has_node_outside(nodes) or ray_session.max_autoscaled_nodes():
            self._last_alternative = now
        elif now - self._last_alternative > PATIENCE_S:
            self._say("only blocked nodes are left: the same command again tries them too")
            return True
        return False

    def _note(self, event: Event, why_blocked: str, why_unblocked: str) -> None:
        before = blocked(self._events)
        self._events.append(event)
        after = blocked(self._events)
        for node in _alive():
            if node["NodeID"] in after - before:
                self._last_alternative = time.monotonic()
                self._say(f"blocked    {_name(node)}: {why_blocked}; trials go on elsewhere")
            elif node["NodeID"] in before - after:
                self._say(f"unblocked  {_name(node)}: {why_unblocked}")

    def _has_node_outside(self, shunned: set[str]) -> bool:
        """Return whether a node that is not shunned has what a trial takes."""
        nodes = [node["Resources"] for node in _alive() if node["NodeID"] not in shunned]
        return any(all(has.get(kind, 0.0) >= need for kind, need in self._bundle.items()) for has in nodes)

    def _poll(self) -> None:
        """Learn which nodes are to stop, by an autoscaler or by `ray drain-node` after a spot notice."""
        now = time.monotonic()
        if now - self._polled < POLL_S:
            return
        self._polled, before = now, self._draining
        self._draining = ray_internals.draining_nodes()
        for node in _alive():
            if node["NodeID"] in self._draining - before:
                self._say(f"draining   {_name(node)}: it is about to stop, and no more trials start there")


def _alive(address: str | None = None) -> list[Node]:
    """Return the nodes that are up, or those of them at an address."""
    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    return [node for node in nodes if address in (None, node["NodeManagerAddress"])]


def _name(node: Node) -> str:
    return f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"


def _cause(text: str) -> str:
    return (ray_internals.raised_line(text) or "its worker died")[:MAX_LINE]

"""Which nodes of a cluster take no more trials of this sweep: one that keeps failing, and one that is about to stop.

A worker that dies, or an error of a device, a library or a file, may be the node's fault or the trial's own. So a node
is set aside when three trials in a row failed there, or one trial twice, and none ended well in between. It is taken
back when such a trial fails on another node as well (then it is that trial), or when one still ends well there. Nothing
is done to the node itself: Ray places a trial by the labels of nodes, and a later launch tries all of them again.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import ray
from ray.tune import PlacementGroupFactory

from gensweep.tune import ray_session
from gensweep.tune.run_trial import OUT_OF_MEMORY
from gensweep.tune.searcher import LOW_ON_MEMORY

TRIALS = 3  # of different numbers that fail in a row on one node
LABEL = "ray.io/node-id"  # which Ray gives to each node
LOOK_S = 2.0  # between two looks at which nodes there are, and which were told to stop
PATIENCE_S = 60.0  # for another node to come, where only those set aside are left
WHERE = re.compile(r"\bip[:=] ?([^\s,]+)")  # as Ray words it, of a dead actor and of an error in a task
OWN = (LOW_ON_MEMORY, *OUT_OF_MEMORY, "MemoryError")  # may be the configuration's doing
MAX_LINE = 200  # characters of an error that are shown

Known = Mapping[str, Any]  # a node, as ray.nodes() tells of it


class NodeBlocklist:
    """What this launch has seen of each node. `late` says of a trial's number that its time was up, which ends its
    worker too."""

    def __init__(self, say: Callable[[str], None], late: Callable[[int], bool] = lambda number: False) -> None:
        self._say, self._late = say, late
        self._failures: dict[str, list[str]] = {}  # node -> trials that failed there since one ended well
        self._aside: set[str] = set()
        self._leaving: set[str] = set()
        self._blamed: set[str] = set()  # trials that fail on any node
        self._looked = self._counted = 0.0
        self._alone = time.monotonic()  # since when no other node is left
        self._bundle: Mapping[str, float] = {}  # what a trial takes

    def on_failure(self, trial: Any, text: str) -> None:
        """A trial of Tune has failed, and `text` is what Tune wrote down of it; may send it elsewhere."""
        found = WHERE.search(text)  # not said where the whole node is gone
        if found and not any(words in text for words in OWN) and not self._late(trial.config["number"]):
            for node in _alive():
                if node["NodeManagerAddress"] == found[1]:
                    self._count(node, trial, text)
        if trial.status == "ERROR":  # and not RUNNING: it comes back
            self.assign(trial)

    def on_success(self, result: Mapping[str, Any]) -> None:
        """A trial has ended with this last result."""
        if not self._failures or result["status"] != "ok":
            return
        for node in _alive():
            if node["NodeManagerAddress"] == result["node_ip"]:
                self._failures.pop(node["NodeID"], None)
                self._take_back("a trial ended well there")

    def assign(self, trial: Any) -> None:
        """Keeps a trial that waits off the nodes that take no more, if another node can hold it."""
        self._look()
        bundles = trial.placement_group_factory.bundles
        self._bundle = bundles[0]
        request, shunned = PlacementGroupFactory(bundles), self._aside | self._leaving
        if shunned and self._others(shunned):
            selector = {LABEL: f"!in({','.join(sorted(shunned))})"}
            request = PlacementGroupFactory(bundles, bundle_label_selector=[selector])
        if request != trial.placement_group_factory:
            trial.update_resources(request)

    def no_nodes_left(self) -> bool:
        """Whether no other node is left, for a while now, and no autoscaler brings one: Ray would wait for ever."""
        now = time.monotonic()
        if not self._aside or now - self._counted < LOOK_S:
            return False
        self._counted = now
        if self._others(self._aside) or ray_session.max_autoscaled_nodes():
            self._alone = now
        elif now - self._alone > PATIENCE_S:
            self._say("no node is left but those set aside: the same command again tries them too")
            return True
        return False

    def _count(self, node: Known, trial: Any, text: str) -> None:
        one, own = trial.trial_id, node["NodeID"]
        elsewhere = any(one in trials for other, trials in self._failures.items() if other != own)
        if elsewhere or one in self._blamed:
            self._blamed.add(one)
            self._failures = {other: [t for t in trials if t != one] for other, trials in self._failures.items()}
            self._take_back(f"trial {trial} fails on other nodes too")
            return
        self._failures.setdefault(own, []).append(one)
        twice = self._failures[own].count(one) > 1 and trial.status == "ERROR"  # it comes back, and will tell elsewhere
        others = self._others(self._aside | self._leaving | {own})
        if own not in self._aside and others and (twice or self._many(own)):
            self._aside.add(own)
            self._alone, n = time.monotonic(), len(self._failures[own])
            self._say(f"set aside  {_name(node)}: {n} failures in a row there ({_what(text)}); trials go on elsewhere")

    def _many(self, node: str) -> bool:
        return len(set(self._failures.get(node, []))) >= TRIALS

    def _take_back(self, why: str) -> None:
        for node in _alive():
            own = node["NodeID"]
            trials = self._failures.get(own, [])
            if own in self._aside and not self._many(own) and len(set(trials)) == len(trials):
                self._aside.discard(own)
                self._say(f"taken back {_name(node)}: {why}")

    def _others(self, shunned: set[str]) -> bool:
        """Whether a node that is not shunned can hold a trial."""
        free = [node["Resources"] for node in _alive() if node["NodeID"] not in shunned]
        return any(all(has.get(kind, 0.0) >= need for kind, need in self._bundle.items()) for has in free)

    def _look(self) -> None:
        """Learns which nodes were told to stop: by an autoscaler, or by `ray drain-node` upon a spot notice."""
        from ray._private.state import state  # nothing public tells of them

        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked, before = now, self._leaving
        self._leaving = set(state.get_draining_nodes())
        for node in _alive():
            if node["NodeID"] in self._leaving - before:
                self._say(f"leaving    {_name(node)}: it was told to stop; no more trials go there")

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune pickles its whole set-up; nothing ever reads that file


def _alive() -> list[Known]:
    return [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


def _name(node: Known) -> str:
    return f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"


def _what(text: str) -> str:
    """The last line of an error that was raised; of a worker that died there is none."""
    return text.strip().splitlines()[-1][:MAX_LINE] if "ray::" in text else "its worker died"

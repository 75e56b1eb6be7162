"""The private parts of Ray that gensweep uses: that they are there, and what happens if they are not."""

import sys
import types
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray.tune import PlacementGroupFactory

from gensweep.tune import ray_internals


@pytest.fixture
def without_private(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ray whose private modules are empty."""
    monkeypatch.setitem(sys.modules, "ray._private", types.ModuleType("ray._private"))
    monkeypatch.setitem(sys.modules, "ray._private.state", types.ModuleType("ray._private.state"))


def test_version_note(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ray_internals.version_note() is None
    monkeypatch.setattr(ray, "__version__", "2.61.0")
    assert ray_internals.version_note() == "ray 2.61.0 is not the tested version (2.60): watch for odd behaviour"


def test_private_names_exist() -> None:
    from ray._private import worker
    from ray._private.node import Node
    from ray._private.state import state

    assert hasattr(worker, "_global_node")
    for owner, name in ((Node, "dead_processes"), (state, "get_draining_nodes"), (state, "get_cluster_config")):
        assert callable(getattr(owner, name))


@pytest.mark.usefixtures("without_private")
def test_without_private_names_nothing_is_known() -> None:
    assert ray_internals.draining_nodes() == set()
    assert ray_internals.autoscaler_groups() == []
    assert ray_internals.dead_processes() == []


def test_last_error_and_retries(tmp_path: Path) -> None:
    path = tmp_path / "error.txt"
    path.write_text("Failure # 1 (at noon)\nold\nFailure # 2 (at one)\nnew\n")
    trial = SimpleNamespace(error_file=str(path), run_metadata=SimpleNamespace(error_filename="error.txt"))
    assert ray_internals.last_error(trial) == " 2 (at one)\nnew\n"
    assert ray_internals.has_failed(trial)
    for other in (
        SimpleNamespace(),
        SimpleNamespace(error_file=None),
        SimpleNamespace(error_file=str(tmp_path / "no")),
    ):
        assert ray_internals.last_error(other) == ""
        assert not ray_internals.has_failed(other)


@pytest.mark.parametrize(
    ("text", "address", "line"),
    [
        ("The actor died.\n\tip: 10.0.0.7\n", "10.0.0.7", None),
        (
            "ray::ImplicitFunc.train() (pid=7, ip=10.0.0.7, actor_id=1)\n  File x\nOSError: gone\n",
            "10.0.0.7",
            "OSError: gone",
        ),
        ("The node died.", None, None),
    ],
)
def test_text_of_an_error(text: str, address: str | None, line: str | None) -> None:
    assert (ray_internals.address_in(text), ray_internals.raised_line(text)) == (address, line)


class WaitingTrial:
    """A trial that waits, as Tune holds it."""

    def __init__(self) -> None:
        self.placement_group_factory = PlacementGroupFactory([{"CPU": 1.0}])

    def update_resources(self, request: Any) -> None:
        self.placement_group_factory = request


def test_keep_off(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = WaitingTrial()
    ray_internals.keep_off(trial, ["b", "a"])
    wanted = PlacementGroupFactory([{"CPU": 1.0}], bundle_label_selector=[{"ray.io/node-id": "!in(a,b)"}])
    assert trial.placement_group_factory == wanted
    ray_internals.keep_off(trial, [])
    assert trial.placement_group_factory == PlacementGroupFactory([{"CPU": 1.0}])

    class Unlabelled:
        def __init__(self, bundles: Any) -> None:
            self.bundles = bundles

    monkeypatch.setattr("ray.tune.PlacementGroupFactory", Unlabelled)
    before = trial.placement_group_factory
    ray_internals.keep_off(trial, ["a"])
    assert trial.placement_group_factory is before

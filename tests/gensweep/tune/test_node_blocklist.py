"""Which nodes are blocked, as a function of what happened: without Ray."""

import pytest

from gensweep.tune.node_blocklist import Event, blocked, failures_in_a_row


def fail(node: str, trial: str, retried: bool = True, replaceable: bool = True) -> Event:
    return Event(node, trial, False, retried, replaceable)


def succeed(node: str) -> Event:
    return Event(node, "", True)


@pytest.mark.parametrize(
    ("events", "nodes"),
    [
        ([], set()),
        ([fail("a", "1"), fail("a", "2")], set()),
        ([fail("a", "1"), fail("a", "2"), fail("a", "3")], {"a"}),
        ([fail("a", "1", retried=False), fail("a", "2", retried=False), fail("a", "3", retried=False)], {"a"}),
        ([fail("a", "1"), fail("a", "1")], {"a"}),
        ([fail("a", "1"), fail("a", "1", retried=False)], set()),  # no attempt elsewhere would say whose fault it is
        ([fail("a", "1"), fail("a", "1", replaceable=False)], set()),  # the only node
        ([fail("a", "1"), succeed("a"), fail("a", "1")], set()),
        ([fail("a", "1"), succeed("b"), fail("a", "1")], {"a"}),
        ([fail("a", "1"), fail("a", "1"), succeed("a")], set()),
        ([fail("a", "1"), fail("a", "1"), fail("b", "1")], set()),  # the trial is at fault
        ([fail("a", "1"), fail("a", "1"), fail("b", "2")], {"a"}),
        ([fail("a", "1"), fail("b", "1"), fail("b", "1"), fail("a", "1")], set()),  # it stays at fault
        ([fail("a", "1"), fail("a", "2"), fail("a", "2"), fail("b", "1")], {"a"}),  # trial 2 failed twice
        ([fail("a", "1"), fail("a", "2"), fail("a", "3"), fail("b", "1")], set()),
        ([fail("a", "1"), fail("a", "1"), fail("b", "2"), fail("b", "2")], {"a", "b"}),
    ],
)
def test_blocked_nodes(events: list[Event], nodes: set[str]) -> None:
    assert blocked(events) == nodes


def test_failures_in_a_row() -> None:
    events = [fail("a", "1"), succeed("a"), fail("a", "2"), fail("b", "3"), fail("a", "4")]
    assert [failures_in_a_row(events, node) for node in "abc"] == [2, 1, 0]

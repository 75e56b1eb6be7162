"""Configurations to try first: what the user names (`--point`), and the best of an earlier sweep (`--warm-from`).

A point may be partial; the sampler draws the rest. Scores of another sweep are never taken over, since another stamp
makes them another quantity: its best configurations are trained again here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gensweep.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from search_spaces import Space
    from trainables.objective import Goal

N_FROM_SWEEP = 5  # configurations of the earlier sweep


def check_point(space: "Space", point: Mapping[str, Any]) -> dict[str, Any]:
    """Return `point` with each value as its key's type.

    Raises:
        UserError: a key that is unknown, not searched, or not read beside the others; a value outside its range.
    """
    from search_spaces.override import Probe
    from search_spaces.param import is_number
    from search_spaces.walk import describe

    known = describe(space)
    for key, value in point.items():
        if key not in known:
            raise UserError(f"point: {did_you_mean('key', key, known)}")
        if known[key].is_range and not is_number(value):
            raise UserError(f"point: {key}={value}: a number is needed")
    probe = Probe(0, dict(point))
    config = space.space(probe)
    for key, value in point.items():
        if key not in config:
            raise UserError(f"point: no trial reads {key!r} with its other values ({_text(point)})")
        if key not in probe.drawn and config[key] != value:
            raise UserError(f"point: {key} is fixed at {config[key]}; free it with --set {key}=lo:hi or a list")
        if config[key] != value:
            raise UserError(f"point: {key}={value} lies outside what is searched: {known[key].text()}")
    return {key: probe.drawn[key] for key in point if key in probe.drawn}


def points_from_sweep(space: "Space", directory: str, goal: "Goal") -> list[dict[str, Any]]:
    """Return the best configurations of another sweep of the same objectives, without the values outside this space.

    Raises:
        UserError: no sweep can be read, it has no winner, it has other objectives, or no point fits this space.
    """
    from analysis.read import results
    from analysis.sweep import ranking
    from search_spaces.walk import describe

    sweep = results.load(directory)
    theirs, ours = (", ".join(sorted(map(":".join, wanted.objectives))) for wanted in (sweep.goal, goal))
    if theirs != ours:
        raise UserError(f"warm-from {directory}: it looked for {theirs}, this sweep looks for {ours}")

    searched = {key: param for key, param in describe(space).items() if param.searched}
    points: list[dict[str, Any]] = []
    for entry in ranking.top_entries(sweep, N_FROM_SWEEP):
        config = entry["config"]
        inside = {key: config[key] for key, param in searched.items() if key in config and param.contains(config[key])}
        try:
            point = check_point(space, inside)
        except UserError:  # a key that is left depends on one that is not
            continue
        if point and point not in points:
            points.append(point)
    if not points:
        raise UserError(f"warm-from {directory}: nothing of its best configurations lies in this space")
    return points


def parse_point(text: str) -> dict[str, Any]:
    """Return `lr=5e-4,batch_size=128` as a mapping.

    Raises:
        UserError: a part is not `key=value`.
    """
    from search_spaces.override import literal

    point: dict[str, Any] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not (key.strip() and equals and value.strip()):
            raise UserError(f"--point {text!r}: write key=value,key=value")
        point[key.strip()] = literal(value.strip())
    return point


def _text(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in point.items())

"""What a user asks of a sweep: what is typed wins over the file, and the file over what is usual."""

import argparse
from typing import Any

from gensweep.config import sweep_yaml
from gensweep.config.options import Options, check_options
from gensweep.errors import UserError


def asked(given: argparse.Namespace) -> tuple[Options, list[str]]:
    """The options of `run` and `plan`, and what a user should know of the file.

    Raises:
        UserError: a file or an option that cannot be.
    """
    file = sweep_yaml.Written({}) if given.file is None else sweep_yaml.read(given.file, given.model)
    written, typed, notes = dict(file.options), by_name(given), []
    pins = {**dict(written.pop("set", {})), **settings(typed.pop("set", []))}
    if file.ignored:
        notes.append(f"{given.file}: ignored, since they mean nothing here: {', '.join(file.ignored)}")
    if file.closed:
        epochs = typed.pop("epochs", None) or written.pop("epochs", None)
        pins |= {} if epochs is None else {"epochs": epochs}
        left = sweep_yaml.rest(given.model, pins)
        pins = {**left, **pins}
        if left:
            kept = ", ".join(f"{key}={value}" for key, value in left.items())
            notes.append(f"{given.file}: not among its parameters, so left at the defaults: {kept}")
    if "objective" in typed:
        typed["objective"] = ",".join(typed["objective"])
    if "points" in typed:
        from gensweep.config.initial_points import parse_point

        typed["points"] = [parse_point(text) for text in typed["points"]]
    return check_options(Options(**{**written, **typed, "set": pins})), notes


def by_name(given: argparse.Namespace) -> dict[str, Any]:
    """The options that are typed."""
    return {name: value for name, value in vars(given).items() if name in Options._fields and value is not None}


def settings(given: list[str]) -> dict[str, Any]:
    """What is typed behind `--set`, by key."""
    found: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise UserError(f"--set {text!r}: write key=v, key=lo:hi[:log] or key=a,b,c")
        if key.strip() in found:
            raise UserError(f"{key.strip()} is set twice: to {found[key.strip()]} and to {value.strip()}")
        found[key.strip()] = value.strip()
    return found

"""Merge the options of a sweep: what is typed wins over the file, and the file over the defaults."""

import argparse
from typing import Any

from gensweep.config import sweep_parameters, sweep_yaml, user_models
from gensweep.config.options import Options, check_options
from gensweep.errors import UserError


def merge_options(args: argparse.Namespace) -> tuple[Options, list[str]]:
    """Return the options of `run` and `plan`, and notes for the user about the file.

    Raises:
        UserError: the file cannot be read, or an option is not valid.
    """
    file = sweep_yaml.Written({}) if args.file is None else sweep_yaml.read(args.file, args.model)
    written, typed, notes = dict(file.options), typed_options(args), []
    pins = {**dict(written.pop("set", {})), **settings(typed.pop("set", []))}
    try:
        check_options(Options(args.model, **written))
    except UserError as error:
        raise UserError(f"{args.file}: {error}") from error
    if file.ignored:
        notes.append(f"{args.file}: ignored, since they have no meaning here: {', '.join(file.ignored)}")
    if file.closed:
        epochs = typed.pop("epochs", None) or written.pop("epochs", None)
        pins |= {} if epochs is None else {"epochs": epochs}
        left = sweep_parameters.rest(args.model, pins)
        pins = {**left, **pins}
        if left:
            defaults = ", ".join(f"{key}={value}" for key, value in left.items())
            notes.append(f"{args.file}: not among its parameters, so left at the defaults: {defaults}")
    if "objective" in typed:
        typed["objective"] = ",".join(typed["objective"])
    if "points" in typed:
        from gensweep.config.initial_points import parse_point

        typed["points"] = [parse_point(text) for text in typed["points"]]
    options = check_options(Options(**{**written, **typed, "set": pins}))
    user_models.allow_data(options.dataset)
    return options, notes


def typed_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options that were typed, by field name."""
    return {name: value for name, value in vars(args).items() if name in Options._fields and value is not None}


def settings(texts: list[str]) -> dict[str, Any]:
    """Return what was typed behind `--set`, by key."""
    values: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise UserError(f"--set {text!r}: write key=v, key=lo:hi[:log] or key=a,b,c")
        if key.strip() in values:
            raise UserError(f"{key.strip()} is set twice: to {values[key.strip()]} and to {value.strip()}")
        values[key.strip()] = value.strip()
    return values

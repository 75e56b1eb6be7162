"""What `trial.keep` was given: its states for a checkpoint, its weights for `best.safetensors`, and back.

A checkpoint is read by `torch.load(weights_only=True)`, so it may hold tensors and plain values only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from trainables.engine.state import cpu_copy
from trainables.errors import UserError

PLAIN = (bool, int, float, str, type(None))
VALUES = "values"  # the header key of `best.safetensors` that holds kept dicts of plain values, as JSON


def check(name: str, item: Any) -> None:
    """Raise UserError unless an object can be kept."""
    if isinstance(item, dict):
        _check_plain(f"trial.keep({name}=...)", item)
    elif not (hasattr(item, "state_dict") and hasattr(item, "load_state_dict")):
        raise UserError(
            f"trial.keep({name}=...): a {type(item).__name__} has no state_dict(); "
            f"keep a dict of plain values instead, {name}={{...}}"
        )


def _check_plain(where: str, value: Any) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_plain(where, key)
            _check_plain(where, item)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            _check_plain(where, item)
    elif type(value) not in PLAIN and not isinstance(value, Tensor):
        raise UserError(f"{where} holds a {type(value).__name__}, and a checkpoint holds tensors and plain values only")


def restore(name: str, item: Any, states: Mapping[str, Any]) -> None:
    """Put an object into its state in a checkpoint; raise UserError if it is not there, or does not fit."""
    if name not in states:
        raise UserError(f"the checkpoint has no {name!r}: trial.keep() was not given it when the trial began")
    if isinstance(item, dict):
        item.clear()
        item.update(states[name])
        return
    try:
        item.load_state_dict(states[name])
    except (RuntimeError, ValueError, KeyError) as error:
        raise UserError(f"{name} does not fit its state in the checkpoint: {' '.join(str(error).split())}") from error


def states(objects: Mapping[str, Any]) -> dict[str, Any]:
    """Return the states of all kept objects, as copied CPU tensors and plain values."""
    result = {}
    for name, item in objects.items():
        state = item if isinstance(item, dict) else item.state_dict()
        _check_plain(f"the state of {name}", state)
        result[name] = cpu_copy(state)
    return result


def weights(objects: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of all kept nets, "net.parameter" -> a copy on the CPU."""
    nets = ((name, item.state_dict()) for name, item in objects.items() if isinstance(item, nn.Module))
    return {
        f"{name}.{key}": value.detach().to("cpu", copy=True)
        for name, state in nets
        for key, value in state.items()
        if isinstance(value, Tensor)
    }


def values(objects: Mapping[str, Any]) -> dict[str, Any]:
    """Return the kept dicts, as far as JSON can hold them."""
    return {name: json.loads(json.dumps(item)) for name, item in objects.items() if isinstance(item, dict)}


def load_weights(objects: Mapping[str, Any], saved: Mapping[str, Tensor]) -> None:
    """Load the nets from `weights`; raise UserError if they do not fit."""
    for name, item in objects.items():
        if not isinstance(item, nn.Module):
            continue
        state = {key.removeprefix(f"{name}."): value for key, value in saved.items() if key.startswith(f"{name}.")}
        try:
            item.load_state_dict(state)
        except RuntimeError as error:
            raise UserError(f"{name} does not fit the saved weights: {' '.join(str(error).split())}") from error

"""Compare rows, and states of nets and optimisers."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def difference(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """Return the first number in which second rows differ, as `loss 0.6931 and 0.6917`; empty if they are equal."""
    for key, value in first.items():
        if key != "wall_s" and value != second.get(key) and not (value != value and second.get(key) != second.get(key)):
            return f"{key} {_short(value)} and {_short(second.get(key))}"
    return ""


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def is_equal(first: Any, second: Any) -> bool:
    """Return whether second states, of tensors and plain values, are equal."""
    if isinstance(first, Tensor):
        return isinstance(second, Tensor) and torch.equal(first, second)
    if isinstance(first, Mapping):
        return (
            isinstance(second, Mapping)
            and first.keys() == second.keys()
            and all(is_equal(first[key], second[key]) for key in first)
        )
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(is_equal, first, second))
    return bool(first == second)

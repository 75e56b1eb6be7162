"""Numbers and names as a person would write them."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainables.metrics import keys

STATES = {"complete": "done", "pruned": "stopped"}  # the others are called what they are


def state(name: str) -> str:
    """A trial's state in the words of `gensweep status`."""
    return STATES.get(name, name)


def named(metric: str) -> str:
    """The metric in words; its own name where there are none."""
    return keys()[metric].name if metric in keys() else metric


def short(value: Any) -> str:
    """A value in four significant digits; a dash for what is missing or does not apply."""
    if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return "–"
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)

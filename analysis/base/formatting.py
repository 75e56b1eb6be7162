"""Format numbers and names for tables, pages and the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainables.metrics import keys

BETTER = {"min": "lower", "max": "higher", None: ""}  # which values of a metric are better
STATE_LABELS = {"complete": "done", "pruned": "stopped"}  # the other states keep their own name


def state_label(name: str) -> str:
    """Return the name of a trial's state as `gensweep status` shows it."""
    return STATE_LABELS.get(name, name)


def metric_label(metric: str) -> str:
    """Return the label of a metric; its key if it has none."""
    return keys()[metric].name if metric in keys() else metric


def format_value(value: Any) -> str:
    """Return a value with four significant digits; a dash if it is missing or does not apply."""
    if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return "–"
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)


def align_columns(rows: Sequence[Sequence[str]], to_right: bool = False) -> list[str]:
    """Return rows of cells as lines of text, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    align = str.rjust if to_right else str.ljust
    return ["  ".join(align(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

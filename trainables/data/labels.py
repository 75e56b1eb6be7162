"""Turn the labels of arrays into classes 0 to K - 1: whole numbers, texts, or rows with a single 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trainables.errors import UserError

Values = NDArray[Any]


class Labelled(Protocol):
    """Images with labels, if there are any."""

    @property
    def what(self) -> str: ...
    @property
    def images(self) -> Values: ...
    @property
    def labels(self) -> Values | None: ...


def label_numbers(
    parts: Mapping[str, Labelled], names: Sequence[str] = ()
) -> tuple[tuple[str, ...], dict[str, NDArray[np.int64]]]:
    """Return the names of the classes, and for each part the labels [N] as indices into them.

    Without labels, or with a single one, the names are empty and all labels are 0. `names` are used if labels are
    indices into them. Raise UserError if labels are neither whole numbers nor texts.
    """
    with_labels = {part: images.labels for part, images in parts.items() if images.labels is not None}
    none = {part: np.zeros(len(images.images), np.int64) for part, images in parts.items()}
    if not with_labels:
        return (), none
    missing = [images.what for part, images in parts.items() if part not in with_labels]
    if missing:
        raise UserError(f"{missing[0]} has no labels, and other parts have")
    flat = {part: _flat(parts[part].what, labels) for part, labels in with_labels.items()}
    values = np.unique(np.concatenate(list(flat.values())))
    if len(values) < 2:
        return (), none
    classes = tuple(_name(value, names) for value in values)
    return classes, {part: np.searchsorted(values, labels).astype(np.int64) for part, labels in flat.items()}


def _name(value: Any, names: Sequence[str]) -> str:
    if names and 0 <= int(value) < len(names):
        return names[int(value)]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _flat(what: str, labels: Values) -> Values:
    """Return labels as [N], whole numbers or texts."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "biuf" and _has_single_ones(labels):
        labels = labels.argmax(1)
    if labels.ndim != 1:
        raise UserError(f"{what}: labels of the shape {list(labels.shape)}: a label for each image is needed")
    if labels.dtype.kind == "b":
        return labels.astype(np.int64)
    if labels.dtype.kind == "f" and np.isfinite(labels).all() and (labels == np.rint(labels)).all():
        return labels.astype(np.int64)
    if labels.dtype.kind not in "iuUS":
        raise UserError(f"{what}: labels are {labels.dtype} numbers that are not whole; labels=none leaves them out")
    return labels


def _has_single_ones(rows: Values) -> bool:
    return bool(((rows == 0) | (rows == 1)).all() and (rows.sum(1) == 1).all())

"""Divide images into train, val and test: 80 / 10 / 10 of each class, or by groups that stay together, as the images
of one patient or of one photo do. A model that trains on one half of a group would be tested on what it has seen."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainables.data.dataset import noise, stratified
from trainables.errors import UserError

Rows = NDArray[np.int64]
TRIES = 200  # orders of the groups


def split_rows(
    name: str, labels: Rows, classes: Sequence[str], groups: Sequence[str] | None = None
) -> tuple[Rows, Rows, Rows]:
    """Return the rows of train, val and test, for labels [N] and perhaps the group of each image [N].

    Raise UserError, which begins with `name`, if the groups cannot be divided so that each part has all classes.
    """
    tenth = -(-len(labels) // 10)  # rounded up, so that a class of ten has one in each
    if groups is None:
        test, val, train = stratified(labels, tenth, tenth)
        return train, val, test
    names, numbers = np.unique(np.asarray(groups, np.str_), return_inverse=True)
    if len(names) < 3:
        raise UserError(f"{name}: the images form {len(names)} groups, and train, val and test need one each")
    counts = np.zeros((len(names), max(1, len(classes))), np.int64)
    np.add.at(counts, (numbers, labels), 1)
    best: tuple[int, NDArray[np.int64]] | None = None
    for seed in range(TRIES):
        part = _parts(np.argsort(noise(seed, len(names))), counts.sum(1), tenth)
        held_out = [counts[part == k].sum(0) for k in range(3)]
        if all(share.all() for share in held_out):
            distance = sum(abs(int(share.sum()) - tenth) for share in held_out[1:])
            best = min(best or (distance, part), (distance, part), key=lambda pair: pair[0])
    if best is None:
        raise UserError(
            f"{name}: {len(names)} groups cannot be divided into train, val and test so that each has images of each "
            "class; labels=none takes the images without labels"
        )
    train, val, test = (np.flatnonzero(best[1][numbers] == k) for k in range(3))
    return train, val, test


def _parts(order: NDArray[np.int64], sizes: NDArray[np.int64], tenth: int) -> NDArray[np.int64]:
    """Return for each group 2, test, then 1, val, until each has about `tenth` images; then 0, train."""
    part = np.zeros(len(sizes), np.int64)
    queue = list(order)
    for k in (2, 1):
        total = 0
        while queue[1:] and total < tenth:
            group = queue.pop()
            part[group] = k
            total += int(sizes[group])
    return part


def first_of_each(labels: Rows, limit: int | None) -> Rows:
    """Return the rows of about `limit` images in all, the first of each class, in order; all rows if it is None."""
    if limit is None or limit >= len(labels):
        return np.arange(len(labels))
    counts = np.bincount(labels)
    wanted = np.maximum(np.minimum(counts, 10), np.rint(counts * (limit / len(labels))).astype(np.int64))
    rows = [np.flatnonzero(labels == k)[: wanted[k]] for k in range(len(counts))]
    return np.sort(np.concatenate(rows))

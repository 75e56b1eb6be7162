"""Send a data set whose pixels lie in a mapped file to another process of this machine, without the pixels.

The other process maps the same file: the system holds its pages once, however many processes read them. What is not in
a file, or is small, is sent as it is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.data.dataset import Dataset, Split
from trainables.errors import UserError

LEAST_BYTES = 2**24  # of the pixels of a split; smaller ones are sent


class MappedFile(NamedTuple):
    """A part of a file that holds an array, and the file's size and time when it was mapped."""

    path: str
    offset: int
    shape: tuple[int, ...]
    kind: str
    n_bytes: int
    mtime_ns: int

    def open(self) -> NDArray[Any]:
        """Return the array, mapped; raise UserError if the file is gone or has changed."""
        try:
            about = Path(self.path).stat()
        except OSError:
            about = None
        if about is None or (about.st_size, about.st_mtime_ns) != (self.n_bytes, self.mtime_ns):
            raise UserError(f"the decoded images {self.path} are gone: `gensweep resume` decodes them again")
        return np.asarray(np.memmap(self.path, self.kind, "r", self.offset, self.shape))


class MappedDataset(NamedTuple):
    """A data set without the pixels of some splits, and the files that hold these, by the name of the split."""

    data: Dataset
    files: dict[str, MappedFile]


def without_pixels(data: Dataset) -> Dataset | MappedDataset:
    """Return a data set for the processes of this machine: see `with_pixels`."""
    files = {}
    for name in ("train", "val", "test"):
        split: Split = getattr(data, name)
        file = _file_of(split.pixels) if split.n_bytes >= LEAST_BYTES else None
        if file is not None:
            files[name] = file
            changes: dict[str, Any] = {name: replace(split, pixels=np.empty((0, *file.shape[1:]), file.kind))}
            data = data._replace(**changes)
    return MappedDataset(data, files) if files else data


def with_pixels(data: Any) -> Any:
    """Return the data set that `without_pixels` was called with; anything else as it is."""
    if not isinstance(data, MappedDataset):
        return data
    changes: dict[str, Any] = {
        name: replace(getattr(data.data, name), pixels=file.open()) for name, file in data.files.items()
    }
    return data.data._replace(**changes)


def _file_of(array: Any) -> MappedFile | None:
    """Return the part of a file that an array is a view of; None if it is not a contiguous view of one."""
    base = array
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    if not isinstance(base, np.memmap) or base.filename is None or not array.flags.c_contiguous:
        return None
    start = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    path = Path(base.filename)
    try:
        about = path.stat()
    except OSError:
        return None
    return MappedFile(str(path), base.offset + start, array.shape, array.dtype.str, about.st_size, about.st_mtime_ns)

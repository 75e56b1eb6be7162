"""Open files of arrays: .npy, .npz, .pt and HDF5. Nothing is unpickled: a file that holds Python objects is refused.

An opened file is an `ArrayFile`: the shapes of its arrays by key, and a function that reads one of them. A file that is
a single array has the key "".
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from trainables.data.source_name import Source
from trainables.errors import UserError, did_you_mean
from trainables.lazy_import import torch

Values = NDArray[Any]
OBJECTS = "Python objects, which are never unpickled"


class ArrayFile(NamedTuple):
    """The arrays of a file: shape by key, and the function that reads the array of a key."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[str], Values]

    def array(self, key: str) -> Values:
        """Return the array of a key; raise UserError, with the keys that there are, if the file has no such key."""
        if key not in self.shapes:
            known = ", ".join(f"{name} {list(shape)}" for name, shape in self.shapes.items())
            line = did_you_mean("key", key, self.shapes).partition(" (known")[0]
            raise UserError(f"{self.path}: {line} (known: {known})" if "" not in self.shapes else no_keys(self, key))
        array = self.read(key)
        if array.dtype.hasobject:
            raise UserError(f"{label(self, key)} holds {OBJECTS}: save it as an array of numbers")
        return array


def label(file: ArrayFile, key: str) -> str:
    """Return how messages name an array: its file, and its key if it has one."""
    return f"{file.path}: {key}" if key else str(file.path)


def no_keys(file: ArrayFile, key: str) -> str:
    """Return the line for a key of a file that is a single array."""
    return f"{file.path} is a single array without keys: leave {key!r} out"


def open_file(source: Source) -> ArrayFile:
    """Return the opened file of a source; raise UserError if it cannot be read, or is of another kind."""
    if not source.path.exists():
        raise UserError(f"{source.path} does not exist")
    if source.path.is_dir():
        raise UserError(f"{source.path} is a folder, and {source.kind}: takes a file")
    file = _OPEN[source.kind](source.path)
    if not file.shapes:
        raise UserError(f"{source.path} holds no arrays")
    return file


def _open_npy(path: Path) -> ArrayFile:
    if zipfile.is_zipfile(path):
        raise UserError(f"{path} is an archive, as np.savez makes it: write npz:{path}")
    try:
        array: Values = npy_format.open_memmap(path, mode="r")
    except (ValueError, EOFError) as error:
        raise _unreadable(path, "a file of np.save", error) from error
    return ArrayFile(path, {"": array.shape}, lambda _: array)


def _open_npz(path: Path) -> ArrayFile:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.namelist() if member.endswith(".npy")]
            shapes = {member.removesuffix(".npy"): _shape_of(archive, member) for member in members}
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise _unreadable(path, "a file of np.savez", error) from error

    def read(key: str) -> Values:
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return np.asarray(arrays[key])
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            raise _unreadable(f"{path}: {key}", "an array", error) from error

    return ArrayFile(path, shapes, read)


def _shape_of(archive: zipfile.ZipFile, member: str) -> tuple[int, ...]:
    """Return the shape of an array in an npz archive, from its header alone."""
    with archive.open(member) as file:
        version = npy_format.read_magic(file)
        header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        return tuple(header(file)[0])


def _open_pt(path: Path) -> ArrayFile:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} holds {OBJECTS}: save tensors alone, torch.save({{'images': x, 'labels': y}}, path)"
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise _unreadable(path, "a file of torch.save", error) from error
    if isinstance(content, (list, tuple)):
        content = {str(i): item for i, item in enumerate(content)}
    if not isinstance(content, dict):
        content = {"": content}
    tensors = {str(key): item for key, item in content.items() if isinstance(item, torch.Tensor)}
    return ArrayFile(
        path, {key: tuple(item.shape) for key, item in tensors.items()}, lambda key: numpy_of(tensors[key])
    )


def numpy_of(values: Any) -> Values:
    """Return a tensor, an array or a list as an array; bfloat16 becomes float32."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        return np.asarray((values.float() if values.dtype == torch.bfloat16 else values).numpy())
    return np.asarray(values)


def _open_h5(path: Path) -> ArrayFile:
    try:
        import h5py
    except ImportError as error:
        raise UserError(f"h5:{path}: HDF5 files need h5py: pip install 'gensweep[h5]'") from error
    shapes: dict[str, tuple[int, ...]] = {}

    def note(key: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            shapes[key] = tuple(item.shape)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(note)
    except OSError as error:
        raise _unreadable(path, "an HDF5 file", error) from error

    def read(key: str) -> Values:
        with h5py.File(path, "r") as file:
            item = file[key]
            text = h5py.check_string_dtype(item.dtype) is not None
            return np.asarray(item.asstr()[:], np.str_) if text else np.asarray(item[()])

    return ArrayFile(path, shapes, read)


def _unreadable(path: object, what: str, error: Exception) -> UserError:
    reason = " ".join(str(error).split())
    if "allow_pickle" in reason or "Python objects" in reason:
        return UserError(f"{path} holds {OBJECTS}: save it as an array of numbers")
    return UserError(f"{path} is not readable as {what}: {reason}")


_OPEN = {"npy": _open_npy, "npz": _open_npz, "pt": _open_pt, "h5": _open_h5}

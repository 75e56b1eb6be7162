"""FILE.py:FUNCTION: images that a function of the user's returns, `data(root)`.

Only a file that the user names in this command is executed, never one that a results directory names. What the function
returned is kept in the cache of decoded images, so that `report` shows real images without executing anything.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from trainables.data.array_files import numpy_of
from trainables.data.arrays import Part, make_dataset
from trainables.data.dataset import Dataset
from trainables.data.image_cache import Allocate, Packed, cache_folder, load_packed, read_entry
from trainables.data.source_name import Source, function_of
from trainables.errors import UserError
from trainables.user_model.model_file import ModelFile, errors_located, execute, read_model_file
from trainables.user_model.user_images import UserImages

_ALLOWED: dict[str, ModelFile] = {}  # data set -> the file that the user has named


def allow(name: str, file: ModelFile | None = None) -> None:
    """Let `load_function` execute the file of a data set, which the user has named; other names are passed over.

    With `file` only that one is executed, if it has the same name.
    """
    parts = function_of(name)
    if parts is not None and file is None:
        _ALLOWED[name] = read_model_file(parts[0])
    elif parts is not None and file is not None and Path(parts[0]).name == file.file_name:
        _ALLOWED[name] = file


def load_function(name: str, data_dir: Path | None) -> Dataset:
    """Return the data set of a function, which runs if `allow` was called; else what it returned before.

    Raises:
        UserError: the function does not work, or may not run and has not run here before.
    """
    path, function = function_of(name) or ("", "")
    root = data_dir or Path(os.environ.get("GENSWEEP_DATA", "."))
    if name not in _ALLOWED:
        file = read_model_file(path)
        data = read_entry(cache_folder() / _key(file, function, root), name)
        if data is None:
            raise UserError(
                f"{name} is a function of yours, which is executed only if this command names its file: "
                "type the `gensweep run` command of the sweep again"
            )
        return data
    file = _ALLOWED[name]
    data = _made(name, file, function, root)
    return _stored(data, _key(file, function, root))


def _made(name: str, file: ModelFile, function: str, root: Path) -> Dataset:
    """Return the data set that a function of a file returns."""
    make_images = getattr(execute(file), function, None)
    if not callable(make_images):
        raise UserError(f"{file.file_name} has no function {function}(root)")
    with errors_located(file):
        result = make_images(root.expanduser())
        if not isinstance(result, UserImages):
            raise UserError(f"{function}() returns {type(result).__name__}: return gensweep.images(images, labels)")
        parts = {part: _part(f"{function}() {part}".strip(), *arrays) for part, arrays in result.parts.items()}
        return make_dataset(Source(name, "function", Path(file.path)), parts, (), ())


def _part(what: str, images: Any, labels: Any, groups: Any) -> Part:
    """Return arrays of the user's as a part; raise UserError if they have different lengths."""
    arrays = [None if values is None else numpy_of(values) for values in (images, labels, groups)]
    pixels = arrays[0]
    assert pixels is not None
    for kind, values in zip(("labels", "groups"), arrays[1:], strict=True):
        if values is not None and len(np.atleast_1d(values)) != len(np.atleast_1d(pixels)):
            raise UserError(f"{what} gives {len(np.atleast_1d(values))} {kind} and {len(np.atleast_1d(pixels))} images")
    return Part(what, pixels, arrays[1], arrays[2])


def _key(file: ModelFile, function: str, root: Path) -> str:
    return hashlib.sha256(f"{file.sha256} {function} {root.expanduser().resolve()}".encode()).hexdigest()[:32]


def _stored(data: Dataset, key: str) -> Dataset:
    """Return the data set as the cache holds it from now on; what the function returned earlier is replaced."""
    shutil.rmtree(cache_folder() / key, ignore_errors=True)
    splits = (data.train, data.val, data.test)

    def build(allocate: Allocate) -> Packed:
        labels = np.concatenate([np.asarray(split.labels) for split in splits])
        first = np.asarray(data.train.pixels)
        pixels = allocate("pixels.npy", (len(labels), *first.shape[1:]), first.dtype)
        np.concatenate([np.asarray(split.pixels) for split in splits], out=pixels)
        sizes = (len(data.train), len(data.val), len(data.test))
        return Packed(pixels, labels, sizes, data.classes, data.notes)

    return load_packed(data.name, key, build)

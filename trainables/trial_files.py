"""Write the files of a trial: parameters, rows, checkpoints, best weights, sample grids. Analysis reads them.

The directory is a local path or a bucket URL (through pyarrow). Every file is replaced as a whole, so that a kill
leaves the old one or the new one. Rows are appended if the file system can append; the next attempt removes a torn last
line.
"""

import io
import json
import os
import pickle
import posixpath
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.fs as pafs
import torch
from safetensors.torch import save
from torch import Tensor

from trainables.engine.state import Snapshot
from trainables.filestore import open_filesystem, read_bytes, replace_file, retry_transient
from trainables.images import encode_png, make_sheet

T = TypeVar("T")
KEEP = 2  # checkpoints: the newest, and the one before in case it is damaged


class TrialFiles:
    """The files of one trial. ``directory`` holds a folder for each trial, named after its number."""

    def __init__(self, directory: str, number: int) -> None:
        self.fs, root = open_filesystem(directory)
        self.path = posixpath.join(root, f"{number:04d}")
        self.local = isinstance(self.fs, pafs.LocalFileSystem)
        self._retry(lambda: self.fs.create_dir(posixpath.join(self.path, "samples"), recursive=True))

    def _retry(self, call: Callable[[], T]) -> T:
        return retry_transient(self.fs, call)

    def _path(self, name: str) -> str:
        return posixpath.join(self.path, name)

    def _write(self, name: str, content: bytes) -> None:
        replace_file(self.fs, self._path(name), content)

    def _read(self, name: str) -> bytes:
        return read_bytes(self.fs, self._path(name))

    def _names(self) -> list[str]:
        infos = self._retry(lambda: self.fs.get_file_info(pafs.FileSelector(self.path)))
        return sorted(info.base_name for info in infos)

    @contextmanager
    def folder_for_user(self) -> Generator[Path]:
        """Make a folder of the trial the current one, for what a user's code writes: `files/` beside the rows.

        A bucket has no folders to write to: then it is the one that is current already.
        """
        before = Path.cwd()
        folder = Path(self._path("files")) if self.local else before
        if self.local:
            folder.mkdir(exist_ok=True)
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)

    def write_params(self, params: dict[str, Any]) -> None:
        """Write ``params.json``."""
        self._write("params.json", json.dumps(params, indent=1).encode())

    def cut_rows(self, before: int) -> None:
        """Keep only the rows of epochs ``< before``: the attempt that starts now writes the others again."""
        if "rows.jsonl" not in self._names():
            return
        lines = [line for line in self._read("rows.jsonl").splitlines() if _epoch_of(line) < before]
        self._write("rows.jsonl", b"".join(line + b"\n" for line in lines))

    def append_row(self, row: dict[str, Any]) -> None:
        """Append a row as a line of JSON; numbers that are not finite become null."""
        line = (json.dumps(_finite(row)) + "\n").encode()
        if self.local:
            with self.fs.open_append_stream(self._path("rows.jsonl")) as stream:
                stream.write(line)
        else:  # object stores do not append
            old = self._read("rows.jsonl") if "rows.jsonl" in self._names() else b""
            self._write("rows.jsonl", old + line)

    def save_checkpoint(self, snapshot: Snapshot) -> None:
        """Write a checkpoint, then delete all but the newest KEEP."""
        buffer = io.BytesIO()
        torch.save(snapshot, buffer)
        self._write(f"checkpoint_{snapshot['epoch']:04d}.pt", buffer.getvalue())
        for name in self._checkpoints()[:-KEEP]:
            self._retry(partial(self.fs.delete_file, self._path(name)))

    def _checkpoints(self) -> list[str]:
        return [name for name in self._names() if name.startswith("checkpoint_") and name.endswith(".pt")]

    def newest_checkpoint(self) -> Snapshot | None:
        """Return the newest readable checkpoint, or None if there are none. Damaged ones are skipped."""
        for name in reversed(self._checkpoints()):
            try:
                snapshot: Snapshot = torch.load(io.BytesIO(self._read(name)), map_location="cpu", weights_only=True)
            except (RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError):
                continue
            return snapshot
        return None

    def save_best(self, weights: dict[str, Tensor], about: dict[str, Any]) -> None:
        """Write ``best.safetensors``, with ``about`` as JSON strings in its header."""
        contiguous = {name: tensor.contiguous() for name, tensor in weights.items()}
        header = {key: json.dumps(_finite(value)) for key, value in about.items()}
        self._write("best.safetensors", save(contiguous, header))

    def save_samples(self, epoch: int, images: Tensor, columns: int) -> None:
        """Write the fixed sample grid of an epoch, uint8 [n, C, H, W], as ``samples/epoch_0001.png``."""
        picture = make_sheet(images.numpy(), columns, fill=0)
        self._write(f"samples/epoch_{epoch:04d}.png", encode_png(picture))


def _epoch_of(line: bytes) -> float:
    try:
        return float(json.loads(line)["epoch"])
    except (ValueError, KeyError, TypeError):
        return float("inf")  # a torn line


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value

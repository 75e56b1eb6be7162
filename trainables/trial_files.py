"""A trial's directory: parameters, rows, checkpoints, best weights, sample grids. Written here, read by analysis.

A local path or a bucket URL, through pyarrow. Every file is replaced as a whole, so that a kill leaves the old one or
the new one; rows are appended where the file system can, and a torn last line is cut off by the next attempt.
"""

import io
import json
import pickle
import posixpath
from collections.abc import Callable
from functools import partial
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
    """The files of one trial; ``directory`` holds all trials, by number."""

    def __init__(self, directory: str, number: int) -> None:
        self.fs, root = open_filesystem(directory)
        self.path = posixpath.join(root, f"{number:04d}")
        self.local = isinstance(self.fs, pafs.LocalFileSystem)
        self._do(lambda: self.fs.create_dir(posixpath.join(self.path, "samples"), recursive=True))

    def _do(self, what: Callable[[], T]) -> T:
        return retry_transient(self.fs, what)

    def _at(self, name: str) -> str:
        return posixpath.join(self.path, name)

    def _write(self, name: str, content: bytes) -> None:
        replace_file(self.fs, self._at(name), content)

    def _read(self, name: str) -> bytes:
        return read_bytes(self.fs, self._at(name))

    def _names(self) -> list[str]:
        infos = self._do(lambda: self.fs.get_file_info(pafs.FileSelector(self.path)))
        return sorted(info.base_name for info in infos)

    def write_params(self, params: dict[str, Any]) -> None:
        self._write("params.json", json.dumps(params, indent=1).encode())

    def cut_rows(self, before: int) -> None:
        """Keep the rows of epochs ``< before``: the attempt that starts now will write the others again."""
        if "rows.jsonl" not in self._names():
            return
        kept = [line for line in self._read("rows.jsonl").splitlines() if _epoch_of(line) < before]
        self._write("rows.jsonl", b"".join(line + b"\n" for line in kept))

    def append_row(self, row: dict[str, Any]) -> None:
        """One more JSON line; numbers that are not finite become null."""
        line = (json.dumps(_finite(row)) + "\n").encode()
        if self.local:
            with self.fs.open_append_stream(self._at("rows.jsonl")) as stream:
                stream.write(line)
        else:  # object stores do not append
            old = self._read("rows.jsonl") if "rows.jsonl" in self._names() else b""
            self._write("rows.jsonl", old + line)

    def save_checkpoint(self, snapshot: Snapshot) -> None:
        buffer = io.BytesIO()
        torch.save(snapshot, buffer)
        self._write(f"checkpoint_{snapshot['epoch']:04d}.pt", buffer.getvalue())
        for name in self._checkpoints()[:-KEEP]:
            self._do(partial(self.fs.delete_file, self._at(name)))

    def _checkpoints(self) -> list[str]:
        return [name for name in self._names() if name.startswith("checkpoint_") and name.endswith(".pt")]

    def newest_checkpoint(self) -> Snapshot | None:
        """The newest readable checkpoint; one that is damaged is passed over for the one before."""
        for name in reversed(self._checkpoints()):
            try:
                snapshot: Snapshot = torch.load(io.BytesIO(self._read(name)), map_location="cpu", weights_only=True)
            except (RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError):
                continue
            return snapshot
        return None

    def save_best(self, weights: dict[str, Tensor], about: dict[str, Any]) -> None:
        """``best.safetensors``, with ``about`` as JSON strings in its header."""
        contiguous = {name: tensor.contiguous() for name, tensor in weights.items()}
        header = {key: json.dumps(_finite(value)) for key, value in about.items()}
        self._write("best.safetensors", save(contiguous, header))

    def save_samples(self, epoch: int, images: Tensor, columns: int) -> None:
        """The fixed sample grid of an epoch, uint8 [n, C, H, W], as ``samples/epoch_0001.png``."""
        sheet = make_sheet(images.numpy(), columns, fill=0)
        self._write(f"samples/epoch_{epoch:04d}.png", encode_png(sheet))


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

"""Keep decoded images as one file that is mapped into memory, so that a folder is decoded once.

Entries lie in $XDG_CACHE_HOME/gensweep/images (~/.cache): a folder each, named after a key of the files' names, sizes
and times and of the options. An entry holds `pixels.npy` and `labels.npy`, in the order train, val, test, and
`entry.json`, with the content's fingerprint. Nothing in it is unpickled, and what is damaged is made again. An entry
appears under its name when it is complete, so that several processes may make the same one at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import __version__ as pillow_version

from trainables.data.dataset import Dataset, Split, make
from trainables.data.download import default_root
from trainables.data.list_images import ImageFile

FILES = ("pixels.npy", "labels.npy")
FORMAT = 1  # a change of how images are decoded or stored needs another number
MAX_BYTES = 20 * 2**30  # of all entries
MAX_AGE_S = 60 * 86_400.0  # since an entry was last used
RECENT_S = 86_400.0  # an entry used since then is never removed: a sweep may be about to map it
BLOCK, N_BLOCKS = 4096, 1024  # of a file are compared with what was written

Allocate = Callable[[str, tuple[int, ...], Any], NDArray[Any]]  # file name, shape, type -> an array to fill


class Packed(NamedTuple):
    """Images of all splits, in the order train, val, test."""

    pixels: NDArray[Any]  # [N, C, H, W]
    labels: NDArray[np.int64]  # [N]
    sizes: tuple[int, int, int]  # images in train, val and test
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def dataset(self, name: str) -> Dataset:
        """Return the images as a data set, with its fingerprint; its arrays are views."""
        return make(name, self.classes, *self.splits())._replace(notes=self.notes)

    def splits(self) -> tuple[Split, Split, Split]:
        """Return the three splits, whose arrays are views."""
        a, b = self.sizes[0], self.sizes[0] + self.sizes[1]
        parts = (slice(None, a), slice(a, b), slice(b, None))
        train, val, test = (Split(self.pixels[part], self.labels[part]) for part in parts)
        return train, val, test


def cache_folder() -> Path:
    """Return the folder of all entries."""
    return default_root().parent / "images"


def key_of(root: Path, files: Iterable[ImageFile], options: object) -> str:
    """Return the key of files below `root` that are read with `options`: it changes if a file does."""
    digest = hashlib.sha256(f"{FORMAT} {pillow_version} {options!r}\n".encode())
    start = len(str(root))
    for file in files:
        line = f"{file.path[start:]}\0{file.n_bytes} {file.mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def load_packed(name: str, key: str, build: Callable[[Allocate], Packed]) -> Dataset:
    """Return the data set of an entry; if it is missing or damaged, of what `build` returns, which is stored."""
    entry = cache_folder() / key
    if (data := read_entry(entry, name)) is not None:
        return data
    with _NewEntry(entry) as new:
        packed = build(new.allocate)
        data = packed.dataset(name)
        new.complete(packed, data.fingerprint)
    if new.problem:
        note = f"the decoded images are not kept for the next start: {entry.parent}: {new.problem}"
        return data._replace(notes=(*data.notes, note))
    remove_old(entry.parent)
    return read_entry(entry, name) or data


def read_entry(entry: Path, name: str) -> Dataset | None:
    """Return the data set of an entry, its pixels mapped and not read; None if it is missing or damaged."""
    try:
        about = json.loads((entry / "entry.json").read_text(encoding="utf-8"))
        if any(_stamp(entry / file) != about["files"][file] for file in FILES):
            return None
        pixels = np.asarray(np.load(entry / "pixels.npy", mmap_mode="r", allow_pickle=False))
        labels = np.load(entry / "labels.npy", allow_pickle=False)
        n_train, n_val, n_test = about["sizes"]
        packed = Packed(pixels, labels, (n_train, n_val, n_test), tuple(about["classes"]), tuple(about["notes"]))
        with contextlib.suppress(OSError):
            os.utime(entry)  # used now
        return Dataset(name, packed.classes, *packed.splits(), about["fingerprint"], packed.notes)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_old(folder: Path) -> None:
    """Remove entries that nobody has used for long, and the least recently used ones if all are too large."""
    now, total = time.time(), 0
    with contextlib.suppress(OSError):
        used = {path: path.stat().st_mtime for path in folder.iterdir() if path.is_dir()}
        for path in sorted(used, key=lambda path: -used[path]):
            age = now - used[path]
            total += sum(file.stat().st_size for file in path.iterdir())
            is_rest = path.suffix == ".partial"  # of a process that was killed
            if age > MAX_AGE_S or ((total > MAX_BYTES or is_rest) and age > RECENT_S):
                shutil.rmtree(path, ignore_errors=True)


class _NewEntry:
    """The files of an entry that is being made, in a folder of their own; `problem` says why it cannot be kept."""

    def __init__(self, entry: Path) -> None:
        self.entry, self.folder, self.problem = entry, entry, ""

    def __enter__(self) -> _NewEntry:
        try:
            self.entry.parent.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(".partial", f"{self.entry.name}.", self.entry.parent))
        except OSError as error:
            self.problem = str(error.strerror)
        return self

    def __exit__(self, *_: object) -> None:
        if self.folder != self.entry:
            shutil.rmtree(self.folder, ignore_errors=True)

    def allocate(self, file: str, shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
        """Return a new array, in a file of the entry if there can be one; else in memory."""
        if not self.problem:
            path = self.folder / file
            try:
                array = np.lib.format.open_memmap(path, "w+", kind, shape)
                with path.open("rb+") as stream:  # else a full disk would kill the process at a later write
                    os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
                return array
            except OSError as error:
                self.problem = str(error.strerror)
        return np.empty(shape, kind)

    def complete(self, packed: Packed, fingerprint: str) -> None:
        """Give the entry its name; if another process was faster, its entry stays."""
        if self.problem:
            return
        try:
            np.save(self.folder / "labels.npy", packed.labels, allow_pickle=False)
            for file in FILES:
                os.utime(self.folder / file)  # now, and not when the system writes the last block
            about = {
                "fingerprint": fingerprint,
                "sizes": packed.sizes,
                "classes": packed.classes,
                "notes": packed.notes,
                "files": {file: _stamp(self.folder / file) for file in FILES},
            }
            (self.folder / "entry.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
        except OSError as error:
            self.problem = error.strerror or str(error)
            return
        if self.entry.exists() and read_entry(self.entry, "") is None:
            shutil.rmtree(self.entry, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.folder.rename(self.entry)


def _stamp(path: Path) -> list[Any]:
    """Return the size and the time of a file, and the sum of evenly spaced blocks: a crash leaves blocks of zeros."""
    about, digest = path.stat(), hashlib.sha256()
    step = max(1, about.st_size // BLOCK // N_BLOCKS) * BLOCK
    with path.open("rb") as stream:
        for start in range(0, about.st_size, step):
            stream.seek(start)
            digest.update(stream.read(BLOCK))
    return [about.st_size, about.st_mtime_ns, digest.hexdigest()]

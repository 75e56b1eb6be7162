"""A user's own modules, which lie beside the model file: `--code DIR` sends them along as a zip of text files.

The zip travels inside the task, as the model file does. Hidden folders, environments and folders of results stay
behind, and so does every file that is not text.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from trainables.errors import UserError

MAX_BYTES = 10_000_000
LEFT_OUT = ("__pycache__", "node_modules")
MARKS = ("sweep.json", "pyvenv.cfg")  # a folder that holds one is a sweep or an environment
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date of a zip: equal files give equal bytes


class CodeFolder(NamedTuple):
    """The text files of a folder; `path` is what the user typed, `zipped` a zip of them."""

    path: str
    zipped: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.zipped).hexdigest()

    @property
    def files(self) -> dict[str, str]:
        """The text of each file by its path in the folder."""
        return unzipped(self.zipped)

    def __str__(self) -> str:
        files = self.files
        n_bytes = sum(len(text.encode()) for text in files.values())
        size = f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{max(1, round(n_bytes / 1e3))} kB"
        return f"{len(files)} file{'s' * (len(files) != 1)}, {size}"


def read_code_folder(path: str, model_file: str) -> CodeFolder:
    """Return the text files of a folder, without the model file itself.

    Raise UserError if it is not a folder, holds no Python file, or holds more text than can travel.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise UserError(f"--code {path}: not a folder; name the one that holds the modules of your model file")
    excluded, sizes, buffer = Path(model_file).expanduser().resolve(), dict[str, int](), io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _text_files(root):
            name = file.relative_to(root).as_posix()
            if file.resolve() == excluded:
                continue
            content = file.read_bytes()
            sizes[name] = len(content)
            if sum(sizes.values()) > MAX_BYTES:
                raise UserError(_too_much(path, sizes))
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    if not any(name.endswith(".py") for name in sizes):
        raise UserError(f"--code {path}: it holds no Python file besides the model file")
    return CodeFolder(path, buffer.getvalue())


def _too_much(path: str, sizes: dict[str, int]) -> str:
    name = max(sizes, key=lambda name: sizes[name])
    return (
        f"--code {path}: over {MAX_BYTES / 1e6:.0f} MB of text files, and no more may travel; the largest so far is "
        f"{name} ({sizes[name] / 1e6:.1f} MB): name the folder of your modules alone"
    )


def _text_files(root: Path) -> Iterator[Path]:
    """Yield the text files below a folder, in the order of their names."""
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in LEFT_OUT
            and not any((here / name / mark).exists() for mark in MARKS)
        )
        for name in sorted(names):
            if not name.startswith(".") and _is_text(here / name):
                yield here / name


def _is_text(path: Path) -> bool:
    """Return whether a file is text in UTF-8. A file too large to travel counts as text if it begins so."""
    try:
        with path.open("rb") as file:
            begin = file.read(8192)
            if b"\0" in begin:
                return False
            (begin + file.read(MAX_BYTES)).decode()
    except UnicodeDecodeError as error:
        return error.end >= MAX_BYTES
    except OSError:
        return False
    return True


def unzipped(content: bytes) -> dict[str, str]:
    """Return the texts in a zip by name; raise UserError if it is not a zip of texts."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise UserError(f"not a zip of text files: {error}") from error


def differing_lines(old: dict[str, str], new: dict[str, str]) -> dict[str, int]:
    """Return in how many lines each file differs, by name; files that are equal are left out."""
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return {name: count_differing(old.get(name, ""), new.get(name, "")) for name in names}


def count_differing(old: str, new: str) -> int:
    """Return how many lines differ between two texts."""
    return sum(line[:1] in "+-" for line in difflib.ndiff(old.splitlines(), new.splitlines())) or 1

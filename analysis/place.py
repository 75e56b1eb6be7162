"""A directory that may lie on this disk or in a bucket: read, write and list by relative name, through `pyarrow.fs`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from pyarrow import fs

from trainables.errors import BadInput
from trainables.filestore import get, is_url, opened, patiently, put


class Place(NamedTuple):
    """A directory: `files` is its file system, `root` its path there, `name` what the user called it."""

    files: fs.FileSystem
    root: str
    name: str

    def read(self, name: str) -> bytes:
        """The bytes of the file `name` below the root; FileNotFoundError where there is none."""
        return get(self.files, f"{self.root}/{name}")

    def write(self, name: str, content: bytes) -> None:
        """Writes a file below the root, making its folder where needed; BadInput where that cannot be."""
        path = f"{self.root}/{name}"
        try:
            if self.local:  # a bucket has no folders
                self.files.create_dir(path.rpartition("/")[0], recursive=True)
            put(self.files, path, content)
        except OSError as error:
            raise BadInput(f"cannot write {name} to {self.name!r}: {str(error).splitlines()[0]}") from error

    def delete(self, name: str) -> None:
        patiently(self.files, lambda: self.files.delete_file(f"{self.root}/{name}"))

    def has(self, name: str) -> bool:
        return bool(self._info(f"{self.root}/{name}").type == fs.FileType.File)

    def is_folder(self) -> bool:
        return bool(self._info(self.root).type == fs.FileType.Directory)

    def names(self, folder: str) -> list[str]:
        """The sorted base names in a folder below the root; empty where there is no such folder."""
        path = f"{self.root}/{folder}".rstrip("/")
        if self._info(path).type == fs.FileType.File:
            return []
        chosen = fs.FileSelector(path, allow_not_found=True)
        return sorted(info.base_name for info in patiently(self.files, lambda: self.files.get_file_info(chosen)))

    def _info(self, path: str) -> fs.FileInfo:
        return patiently(self.files, lambda: self.files.get_file_info(path))

    @property
    def local(self) -> bool:
        return isinstance(self.files, fs.LocalFileSystem)


def described(where: Place, what: str, version: int, nearby: str = "") -> dict[str, Any]:
    """What `sweep.json` or `study.json` holds, for `what` "sweep" or "study"; BadInput, with the hint `nearby` where
    there is none, for one that is missing, broken or of another format."""
    if not where.has(f"{what}.json"):
        raise BadInput(f"{where.name!r} is not a {what}: no {what}.json there{nearby}")
    try:
        meta = json.loads(where.read(f"{what}.json"))
    except ValueError as error:
        raise BadInput(f"{where.name!r} is not a readable {what}: {what}.json is broken ({error})") from error
    if not isinstance(meta, dict) or meta.get("format") != version:
        raise BadInput(f"{where.name!r} is not a {what} of format {version}, which is what this gensweep reads")
    return meta


def at(directory: str | Path) -> Place:
    """A local path or a URL (`s3://bucket/results/x`) as a Place; BadInput for a URL that no file system reads."""
    text = str(directory)
    if not is_url(text):
        return Place(fs.LocalFileSystem(), str(Path(text).resolve()), text)
    try:
        return Place(*opened(text), text)
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot open {text!r}: {str(error).splitlines()[0]}") from error

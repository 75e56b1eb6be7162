"""Read, write and list files of a directory that lies on this disk or in a bucket, through `pyarrow.fs`.

A bucket that does not answer for a while is tried again. pyarrow's S3 client takes keys and region from the usual
places of AWS, but not the address of another S3 server (MinIO, Ceph, Garage): this module reads it from
AWS_ENDPOINT_URL, as AWS's own tools do.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

from trainables.errors import UserError

if TYPE_CHECKING:  # `is_url` is asked before anything heavy is imported
    from pyarrow import fs

PATIENCE_S = 300.0  # how long a bucket that does not answer is waited for
PAUSE_S = 5.0
PASSING = (
    "NETWORK_CONNECTION",
    "SLOW_DOWN",
    "SERVICE_UNAVAILABLE",
    "INTERNAL_FAILURE",
    "REQUEST_TIMEOUT",
    "THROTTLING",
)

T = TypeVar("T")


def is_url(where: str) -> bool:
    return "://" in where


def open_filesystem(where: str) -> tuple[fs.FileSystem, str]:
    """The file system, and the path in it, of a local path or a URL such as ``s3://bucket/folder``; OSError or
    ValueError for a URL that no file system reads."""
    from pyarrow import fs

    if not is_url(where):
        return fs.LocalFileSystem(), where
    found, path = fs.FileSystem.from_uri(f"{where}{_query(where)}" if where.startswith("s3://") else where)
    return found, path.rstrip("/")


def _query(where: str) -> str:
    """What pyarrow is told of S3: one request to write a small file, not three; and the server, where it is another."""
    query = {"allow_delayed_open": "true"}
    address = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if address and "endpoint_override=" not in where:
        parts = urlsplit(address)
        query |= {"scheme": parts.scheme, "endpoint_override": parts.netloc}
    return ("&" if "?" in where else "?") + urlencode(query)


def retry_transient(files: fs.FileSystem, do: Callable[[], T]) -> T:
    """Does it; where it is about a bucket that does not answer, again and again for PATIENCE_S."""
    from pyarrow import fs

    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return do()
        except OSError as error:
            passing = not isinstance(files, fs.LocalFileSystem) and any(word in str(error) for word in PASSING)
            if not passing or time.monotonic() > end:
                raise
            time.sleep(PAUSE_S)


def read_bytes(files: fs.FileSystem, path: str) -> bytes:
    """The bytes of a file; FileNotFoundError where there is none."""

    def read() -> bytes:
        with files.open_input_file(path) as stream:
            content: bytes = stream.read()
        return content

    return retry_transient(files, read)


def write_bytes(files: fs.FileSystem, path: str, content: bytes) -> None:
    """Writes a file, whose folder is there or is not needed; OSError where that cannot be."""

    def write() -> None:
        with files.open_output_stream(path) as stream:
            stream.write(content)

    retry_transient(files, write)


def replace_file(files: fs.FileSystem, path: str, content: bytes, suffix: str = ".partial") -> None:
    """Write a file as a whole: whoever reads it, even after a kill, finds the old content or the new one.

    On a disk the content goes to `path` + `suffix` first, which is removed again if the disk is full; an object store
    shows an object when it is complete. Raise OSError if the file cannot be written.
    """
    from pyarrow import fs

    if not isinstance(files, fs.LocalFileSystem):
        write_bytes(files, path, content)
        return
    partial = path + suffix
    try:
        write_bytes(files, partial, content)
    except OSError:
        if files.get_file_info(partial).is_file:
            files.delete_file(partial)
        raise
    files.move(partial, path)


def replace_local_file(path: Path, content: bytes) -> None:
    """Write a file of this disk as a whole, also if several processes write it at once; see `replace_file`."""
    from pyarrow import fs

    replace_file(fs.LocalFileSystem(), str(path), content, f".{os.getpid()}.partial")


class Directory(NamedTuple):
    """A directory: `files` is its file system, `root` its path there, `name` what the user called it."""

    files: fs.FileSystem
    root: str
    name: str

    def read(self, name: str) -> bytes:
        """The bytes of the file `name` below the root; FileNotFoundError where there is none."""
        return read_bytes(self.files, f"{self.root}/{name}")

    def write(self, name: str, content: bytes) -> None:
        """Writes a file below the root, making its folder where needed; UserError where that cannot be."""
        path = f"{self.root}/{name}"
        try:
            if self.local:  # a bucket has no folders
                self.files.create_dir(path.rpartition("/")[0], recursive=True)
            write_bytes(self.files, path, content)
        except OSError as error:
            raise UserError(f"cannot write {name} to {self.name!r}: {str(error).splitlines()[0]}") from error

    def delete(self, name: str) -> None:
        retry_transient(self.files, lambda: self.files.delete_file(f"{self.root}/{name}"))

    def has(self, name: str) -> bool:
        from pyarrow import fs

        return bool(self._info(f"{self.root}/{name}").type == fs.FileType.File)

    def is_folder(self) -> bool:
        from pyarrow import fs

        return bool(self._info(self.root).type == fs.FileType.Directory)

    def names(self, folder: str) -> list[str]:
        """The sorted base names in a folder below the root; empty where there is no such folder."""
        from pyarrow import fs

        path = f"{self.root}/{folder}".rstrip("/")
        if self._info(path).type == fs.FileType.File:
            return []
        chosen = fs.FileSelector(path, allow_not_found=True)
        return sorted(info.base_name for info in retry_transient(self.files, lambda: self.files.get_file_info(chosen)))

    def _info(self, path: str) -> fs.FileInfo:
        return retry_transient(self.files, lambda: self.files.get_file_info(path))

    @property
    def local(self) -> bool:
        from pyarrow import fs

        return isinstance(self.files, fs.LocalFileSystem)


def read_description(where: Directory, what: str, version: int, nearby: str = "") -> dict[str, Any]:
    """What `sweep.json` or `study.json` holds, for `what` "sweep" or "study"; UserError, with the hint `nearby` where
    there is none, for one that is missing, broken or of another format."""
    if not where.has(f"{what}.json"):
        raise UserError(f"{where.name!r} is not a {what}: no {what}.json there{nearby}")
    try:
        meta = json.loads(where.read(f"{what}.json"))
    except ValueError as error:
        raise UserError(f"{where.name!r} is not a readable {what}: {what}.json is broken ({error})") from error
    if not isinstance(meta, dict) or meta.get("format") != version:
        raise UserError(f"{where.name!r} is not a {what} of format {version}, which is what this gensweep reads")
    return meta


def open_directory(directory: str | Path) -> Directory:
    """A local path or a URL (`s3://bucket/results/x`) as a Place; UserError for a URL that no file system reads."""
    from pyarrow import fs

    text = str(directory)
    if not is_url(text):
        return Directory(fs.LocalFileSystem(), str(Path(text).resolve()), text)
    try:
        return Directory(*open_filesystem(text), text)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot open {text!r}: {str(error).splitlines()[0]}") from error

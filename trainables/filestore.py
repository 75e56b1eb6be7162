"""Read, write and list the files of a directory on this disk or in a bucket, through `pyarrow.fs`.

If a bucket does not answer, requests are repeated for a while. pyarrow's S3 client finds keys and region in the usual
places of AWS, but not the address of another S3 server (MinIO, Ceph, Garage). This module reads the address from
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

if TYPE_CHECKING:  # `is_url` is called before anything heavy is imported
    from pyarrow import fs

PATIENCE_S = 300.0  # how long requests to a bucket that does not answer are repeated
PAUSE_S = 5.0  # between two requests
TRANSIENT = (  # words of pyarrow's errors
    "NETWORK_CONNECTION",
    "SLOW_DOWN",
    "SERVICE_UNAVAILABLE",
    "INTERNAL_FAILURE",
    "REQUEST_TIMEOUT",
    "THROTTLING",
)

T = TypeVar("T")


def is_url(location: str) -> bool:
    """Return whether `location` is a URL and not a local path."""
    return "://" in location


def open_filesystem(location: str) -> tuple[fs.FileSystem, str]:
    """Return the file system of a local path or a URL such as ``s3://bucket/folder``, and the path in it.

    Raise OSError or ValueError if no file system reads the URL.
    """
    from pyarrow import fs

    if not is_url(location):
        return fs.LocalFileSystem(), location
    files, path = fs.FileSystem.from_uri(f"{location}{_query(location)}" if location.startswith("s3://") else location)
    return files, path.rstrip("/")


def _query(location: str) -> str:
    """Return the query that pyarrow needs for S3: one request for a small file, not three, and the server's address."""
    query = {"allow_delayed_open": "true"}
    address = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if address and "endpoint_override=" not in location:
        parts = urlsplit(address)
        query |= {"scheme": parts.scheme, "endpoint_override": parts.netloc}
    return ("&" if "?" in location else "?") + urlencode(query)


def retry_transient(files: fs.FileSystem, do: Callable[[], T]) -> T:
    """Return the result of `do`; repeat it for up to PATIENCE_S while a bucket does not answer.

    Any other OSError, and every OSError of a local file system, is raised at once.
    """
    from pyarrow import fs

    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return do()
        except OSError as error:
            transient = not isinstance(files, fs.LocalFileSystem) and any(word in str(error) for word in TRANSIENT)
            if not transient or time.monotonic() > end:
                raise
            time.sleep(PAUSE_S)


def read_bytes(files: fs.FileSystem, path: str) -> bytes:
    """Return the bytes of a file; raise FileNotFoundError if it does not exist."""

    def read() -> bytes:
        with files.open_input_file(path) as stream:
            content: bytes = stream.read()
        return content

    return retry_transient(files, read)


def write_bytes(files: fs.FileSystem, path: str, content: bytes) -> None:
    """Write a file, whose folder must exist on a disk; raise OSError if it cannot be written."""

    def write() -> None:
        with files.open_output_stream(path) as stream:
            stream.write(content)

    retry_transient(files, write)


def replace_file(files: fs.FileSystem, path: str, content: bytes, suffix: str = ".partial") -> None:
    """Write a file as a whole: a reader gets the old content or the new one, even after a kill.

    On a disk the content goes to `path` + `suffix` first, which is removed if the disk is full. An object store shows
    an object only when it is complete. Raise OSError if the file cannot be written.
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
    """A directory: its file system `files`, its path `root` in it, and the `name` that the user gave."""

    files: fs.FileSystem
    root: str
    name: str

    def read(self, name: str) -> bytes:
        """Return the bytes of the file `name` below the root; raise FileNotFoundError if it does not exist."""
        return read_bytes(self.files, f"{self.root}/{name}")

    def write(self, name: str, content: bytes) -> None:
        """Write a file below the root, and make its folder if needed; raise UserError if it cannot be written."""
        path = f"{self.root}/{name}"
        try:
            if self.local:  # a bucket has no folders
                self.files.create_dir(path.rpartition("/")[0], recursive=True)
            write_bytes(self.files, path, content)
        except OSError as error:
            raise UserError(f"cannot write {name} to {self.name!r}: {str(error).splitlines()[0]}") from error

    def delete(self, name: str) -> None:
        """Delete the file `name` below the root; raise FileNotFoundError if it does not exist."""
        retry_transient(self.files, lambda: self.files.delete_file(f"{self.root}/{name}"))

    def has(self, name: str) -> bool:
        """Return whether the file `name` exists below the root."""
        from pyarrow import fs

        return bool(self._info(f"{self.root}/{name}").type == fs.FileType.File)

    def is_folder(self) -> bool:
        """Return whether the root exists and is a folder."""
        from pyarrow import fs

        return bool(self._info(self.root).type == fs.FileType.Directory)

    def names(self, folder: str) -> list[str]:
        """Return the sorted base names in a folder below the root; an empty list if the folder does not exist."""
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
        """Whether the directory is on this disk and not in a bucket."""
        from pyarrow import fs

        return isinstance(self.files, fs.LocalFileSystem)


def read_description(directory: Directory, what: str, version: int, nearby: str = "") -> dict[str, Any]:
    """Return the content of `sweep.json` or `study.json`, for `what` "sweep" or "study".

    Raise UserError if the file is missing (with the hint `nearby`), broken or of another format than `version`.
    """
    if not directory.has(f"{what}.json"):
        raise UserError(f"{directory.name!r} is not a {what}: no {what}.json there{nearby}")
    try:
        description = json.loads(directory.read(f"{what}.json"))
    except ValueError as error:
        raise UserError(f"{directory.name!r} is not a readable {what}: {what}.json is broken ({error})") from error
    if not isinstance(description, dict) or description.get("format") != version:
        raise UserError(f"{directory.name!r} is not a {what} of format {version}, which is what this gensweep reads")
    return description


def open_directory(directory: str | Path) -> Directory:
    """Return the Directory of a local path or a URL (`s3://bucket/results/x`).

    Raise UserError if no file system reads the URL.
    """
    from pyarrow import fs

    text = str(directory)
    if not is_url(text):
        return Directory(fs.LocalFileSystem(), str(Path(text).resolve()), text)
    try:
        return Directory(*open_filesystem(text), text)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot open {text!r}: {str(error).splitlines()[0]}") from error

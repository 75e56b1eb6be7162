"""The file system behind a path or a bucket URL, and what to do when the way to a bucket is broken for a while.

pyarrow's S3 client takes keys and region from the usual places of AWS, but no address of another S3 server (MinIO,
Ceph, Garage): that is read here from AWS_ENDPOINT_URL, as AWS's own tools read it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:  # the door asks `is_url` before it knows whether anything heavy is needed
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


def opened(where: str) -> tuple[fs.FileSystem, str]:
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


def patiently(files: fs.FileSystem, do: Callable[[], T]) -> T:
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


def get(files: fs.FileSystem, path: str) -> bytes:
    """The bytes of a file; FileNotFoundError where there is none."""

    def read() -> bytes:
        with files.open_input_file(path) as stream:
            content: bytes = stream.read()
        return content

    return patiently(files, read)


def put(files: fs.FileSystem, path: str, content: bytes) -> None:
    """Writes a file, whose folder is there or is not needed; OSError where that cannot be."""

    def write() -> None:
        with files.open_output_stream(path) as stream:
            stream.write(content)

    patiently(files, write)

"""Find, download and verify files: the data directory, checksums, and downloads by torchvision. A file is read as a
whole, verified and unpacked in memory, so that a read-only directory works."""

import contextlib
import hashlib
import os
import socket
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path

from trainables.errors import UserError

DOWNLOAD_TIMEOUT_S = 30.0


def default_root() -> Path:
    """Return the directory of data sets if neither the user nor the environment names one."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "gensweep" / "data"


def data_root(data_dir: Path | None) -> Path:
    """Return the data directory: `data_dir`, else the environment's GENSWEEP_DATA, else `default_root()`."""
    if data_dir is not None:
        return data_dir.expanduser()
    named = os.environ.get("GENSWEEP_DATA")
    return Path(named).expanduser() if named else default_root()


def check_root(root: Path) -> None:
    """Raise UserError unless `root` is a directory; the default one need not exist yet."""
    if root.is_dir() or root == default_root():
        return
    what = "is not a directory" if root.exists() else "does not exist"
    raise UserError(
        f"data directory {root} {what}: name one by --data-dir or GENSWEEP_DATA, or neither for {default_root()}"
    )


def read_verified(path: Path, md5: str) -> bytes:
    """Return the bytes of a file.

    Raise UserError unless their MD5 sum is the published one, OSError if the file cannot be read.
    """
    return verify(path, path.read_bytes(), md5)


def verify(path: Path, content: bytes, md5: str) -> bytes:
    """Return `content`, which was read from `path`; raise UserError unless it has the published MD5 sum."""
    actual = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if actual != md5:
        raise UserError(
            f"{path} is damaged: {len(content):,} bytes with MD5 {actual}, published is {md5}; replace or delete it"
        )
    return content


def inflate(path: Path, md5: str) -> bytes:
    """Return the verified content of a .gz file, unpacked in memory; raise as `read_verified` does."""
    return zlib.decompress(read_verified(path, md5), wbits=31)


def read_sized(path: Path, n_bytes: int, header: bytes = b"") -> bytes:
    """Return the bytes of a file without a published checksum.

    Raise UserError unless it has `n_bytes` and begins with `header`.
    """
    content = path.read_bytes()
    if len(content) != n_bytes:
        raise UserError(f"{path} is damaged: {len(content):,} bytes, it should have {n_bytes:,}; replace or delete it")
    if not content.startswith(header):
        raise UserError(f"{path} is damaged: it begins with {content[: len(header)].hex()}, not {header.hex()}")
    return content


def download(name: str, folder: Path, missing: str, fetch: Callable[[], object]) -> None:
    """Download `name` into `folder` by torchvision; if that fails, remove new folders and raise UserError."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        with _socket_timeout(DOWNLOAD_TIMEOUT_S):
            fetch()
    except (OSError, RuntimeError, EOFError, HTTPException) as error:
        for path in new:
            with contextlib.suppress(OSError):
                path.rmdir()
        why = " ".join(str(error).split())
        raise UserError(
            f"{name}: {missing} is missing in {folder} and could not be downloaded ({why}); "
            f"put the files there, or name the folder that holds them by --data-dir"
        ) from error


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Set the default timeout of sockets, so that a dead server cannot hang the command: torchvision sets none."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)

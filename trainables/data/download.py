"""Finding and trusting files: the data directory, checksums, and downloads, which are torchvision's. A file is read
whole, verified in memory and unpacked there, so a directory that cannot be written to works as it is."""

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
    """Where data sets are downloaded to when nobody says otherwise."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "gensweep" / "data"


def data_root(data_dir: Path | None) -> Path:
    """The data directory: the one given, else the environment's GENSWEEP_DATA, else `default_root()`."""
    if data_dir is not None:
        return data_dir.expanduser()
    named = os.environ.get("GENSWEEP_DATA")
    return Path(named).expanduser() if named else default_root()


def check_root(root: Path) -> None:
    """Raises UserError unless `root` is a directory; the default one may still be to make."""
    if root.is_dir() or root == default_root():
        return
    what = "is not a directory" if root.exists() else "does not exist"
    raise UserError(
        f"data directory {root} {what}: name one by --data-dir or GENSWEEP_DATA, or neither for {default_root()}"
    )


def read_verified(path: Path, md5: str) -> bytes:
    """The bytes of `path`. Raises UserError unless their MD5 sum is the published one, OSError if it cannot be read."""
    return verify(path, path.read_bytes(), md5)


def verify(path: Path, content: bytes, md5: str) -> bytes:
    """`content` itself, which came from `path`, if it has the published MD5 sum; UserError otherwise."""
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise UserError(
            f"{path} is damaged: {len(content):,} bytes with MD5 {found}, published is {md5}; replace or delete it"
        )
    return content


def inflate(path: Path, md5: str) -> bytes:
    """The verified content of a .gz file, unpacked in memory."""
    return zlib.decompress(read_verified(path, md5), wbits=31)


def read_sized(path: Path, n_bytes: int, header: bytes = b"") -> bytes:
    """The bytes of `path`, for which no checksum is published: UserError unless it has `n_bytes` and the start."""
    content = path.read_bytes()
    if len(content) != n_bytes:
        raise UserError(f"{path} is damaged: {len(content):,} bytes, it should have {n_bytes:,}; replace or delete it")
    if not content.startswith(header):
        raise UserError(f"{path} is damaged: it begins with {content[: len(header)].hex()}, not {header.hex()}")
    return content


def download(name: str, folder: Path, missing: str, fetch: Callable[[], object]) -> None:
    """Runs torchvision's download of `name` into `folder`. UserError if it fails, and then no empty folder stays."""
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
    """A dead server shall not hang the command: torchvision sets no timeout, so the process default is lent one."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)

"""Local working directory of a sweep.

If the results are in a bucket, the driver works in a cache folder instead, because file locks and Optuna's journal need
a real file system. Every write is copied to the bucket (see bucket_sync.py), and every launch starts by downloading the
bucket's state, so the bucket is authoritative. Trials write to the bucket themselves.
"""

import hashlib
from pathlib import Path

from gensweep.config.options import Options
from gensweep.errors import UserError
from trainables.filestore import is_url

JOURNAL = "journal"  # what --storage calls Optuna's append-only file, which also works on a network file system
BUCKET_FILE = ".bucket"  # in a cache folder: holds the URL of its bucket


def local_workdir(where: str) -> Path:
    """Return the directory that the driver of a sweep works in: the given path, or the cache folder of a URL."""
    if not is_url(where):
        return Path(where)
    from trainables.data.download import default_root

    address = where.rstrip("/")
    digest = hashlib.sha256(address.encode()).hexdigest()[:12]
    path = default_root().parent / "desks" / digest / address.rpartition("/")[2]
    path.mkdir(parents=True, exist_ok=True)
    (path / BUCKET_FILE).write_text(address, encoding="utf-8")
    return path


def display_name(directory: Path) -> str:
    """Return the path or URL by which the user knows the sweep of a working directory."""
    return bucket_url(directory) or str(directory)


def trials_uri(directory: Path) -> str:
    """Return where any node finds the trials of the sweep: an absolute path or a URL."""
    return bucket_url(directory) or str(directory.resolve())


def bucket_url(directory: Path) -> str | None:
    """Return the URL of the bucket that a working directory belongs to, or None if the results are in the directory."""
    mark = directory / BUCKET_FILE
    return mark.read_text(encoding="utf-8") if mark.exists() else None


def options_for_bucket(options: Options) -> Options:
    """Return the options of a sweep whose results are in a bucket; its study is a journal unless a server holds it.

    Raises:
        UserError: an option needs results in a folder, or the study would be lost with this machine.
    """
    if options.storage is not None and options.storage.startswith("sqlite"):
        raise UserError(
            f"storage {options.storage} would be lost with this machine, unlike {options.results}: leave --storage "
            "out, or give the address of a database server"
        )
    for name, value in (("trial-timeout", options.trial_timeout), ("keep-checkpoints", options.keep_checkpoints)):
        if value is not None:
            raise UserError(
                f"{name} {value} needs results in a folder, and {options.results} is a bucket: leave it out"
            )
    return options._replace(storage=options.storage or JOURNAL)

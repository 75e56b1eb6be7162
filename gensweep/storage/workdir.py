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
BUCKET_FILE = ".bucket"  # at a desk: the URL that it is for


def local_workdir(where: str) -> Path:
    """The directory of the driver of the sweep at a path or a URL."""
    if not is_url(where):
        return Path(where)
    from trainables.data.download import default_root

    address = where.rstrip("/")
    own = hashlib.sha256(address.encode()).hexdigest()[:12]
    path = default_root().parent / "desks" / own / address.rpartition("/")[2]
    path.mkdir(parents=True, exist_ok=True)
    (path / BUCKET_FILE).write_text(address, encoding="utf-8")
    return path


def display_name(directory: Path) -> str:
    """What the user calls the sweep that is driven from this directory."""
    return bucket_url(directory) or str(directory)


def trials_uri(directory: Path) -> str:
    """Where the trials of the sweep are, for any node: a whole path or a URL."""
    return bucket_url(directory) or str(directory.resolve())


def bucket_url(directory: Path) -> str | None:
    """The URL that a desk is for; None where the directory is none."""
    mark = directory / BUCKET_FILE
    return mark.read_text(encoding="utf-8") if mark.exists() else None


def options_for_bucket(options: Options) -> Options:
    """The options of a sweep whose results are in a bucket: its study goes there too, unless a server has it.

    Raises:
        UserError: an option that needs a folder, or a study that would end with this machine.
    """
    if options.storage is not None and options.storage.startswith("sqlite"):
        raise UserError(
            f"storage {options.storage} would end with this machine, and {options.results} would not: leave --storage "
            "out, or name a server"
        )
    for name, value in (("trial-timeout", options.trial_timeout), ("keep-checkpoints", options.keep_checkpoints)):
        if value is not None:
            raise UserError(
                f"{name} {value} needs results in a folder, and {options.results} is a bucket: leave it out"
            )
    return options._replace(storage=options.storage or JOURNAL)

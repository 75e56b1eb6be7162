"""Check that a results folder can hold a sweep: it is writable, its locks work, its study is readable."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gensweep.errors import UserError
from gensweep.storage import workdir

if TYPE_CHECKING:
    from analysis.read.manifest import SweepManifest

MOUNTS = Path("/proc/self/mounts")
NETWORK_FILE_SYSTEMS = {  # file systems whose locks another machine may not see
    "nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "gpfs", "beegfs", "afs", "glusterfs", "ocfs2", "gfs2",
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.mountpoint-s3", "fuse.gcsfuse", "fuse.juicefs",
}  # fmt: skip


def check_writable(directory: Path) -> None:
    """Whether the directory, or the first one above it that exists, and the study in it can be written.

    Raises:
        UserError: one cannot.
    """
    for parent in (directory, *directory.parents):
        if parent.exists():
            if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
                raise UserError(f"{directory} cannot be written: {parent} is no folder that you may write to")
            break
    for name in ("sweep.json", "study.db", "study.journal"):
        if (directory / name).exists() and not os.access(directory / name, os.W_OK):
            raise UserError(f"{directory / name} is not yours to write: make it so, or begin a new sweep with --name")


def check_lockable(path: Path, mounts: str | None = None) -> None:
    """Whether SQLite's locks hold where a study would be; `mounts` is what the kernel says in /proc/self/mounts.

    Raises:
        UserError: on a network file system they do not, and a study would be damaged without a word.
    """
    table = MOUNTS.read_text(encoding="utf-8") if mounts is None and MOUNTS.exists() else mounts or ""
    found = [line.split()[1:3] for line in table.splitlines()]
    above = [(point, kind) for point, kind in found if path.resolve().is_relative_to(point.replace("\\040", " "))]
    kind = max(above, key=lambda one: len(one[0]), default=("", ""))[1]
    if kind in NETWORK_FILE_SYSTEMS:
        raise UserError(
            f"{path} is on a network file system ({kind}), where SQLite's locks do not hold: say --storage journal, or "
            "name a server"
        )


def check_study_readable(directory: Path, manifest: "SweepManifest") -> None:
    """Whether the study of the trials that are there can be read.

    Raises:
        UserError: it cannot, or is gone.
    """
    from analysis.read import optuna_study
    from trainables import filestore

    where = filestore.open_directory(workdir.trials_uri(directory))
    if where.names("trials"):
        optuna_study.read_trials(where, manifest)


def free_bytes(directory: Path) -> int:
    """Bytes that are left where the directory is, or will be."""
    whole = directory.resolve()
    return shutil.disk_usage(next(one for one in (whole, *whole.parents) if one.exists())).free

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
    """Raise UserError if the user may not write to a directory or to the study in it.

    If the directory does not exist yet, check the nearest parent that does.
    """
    for parent in (directory, *directory.parents):
        if parent.exists():
            if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
                raise UserError(f"{directory} cannot be written: {parent} is not a folder that you may write to")
            break
    for name in ("sweep.json", "study.db", "study.journal"):
        if (directory / name).exists() and not os.access(directory / name, os.W_OK):
            raise UserError(
                f"{directory / name} cannot be written: change its permissions, or start a new sweep with --name"
            )


def check_lockable(path: Path, mounts: str | None = None) -> None:
    """Raise UserError if a path is on a network file system.

    SQLite's locks do not work there, so two processes could damage the study unnoticed. `mounts` is the text of
    /proc/self/mounts.
    """
    table = MOUNTS.read_text(encoding="utf-8") if mounts is None and MOUNTS.exists() else mounts or ""
    mounted = [line.split()[1:3] for line in table.splitlines()]
    above = [(point, kind) for point, kind in mounted if path.resolve().is_relative_to(point.replace("\\040", " "))]
    kind = max(above, key=lambda mount: len(mount[0]), default=("", ""))[1]
    if kind in NETWORK_FILE_SYSTEMS:
        raise UserError(
            f"{path} is on a network file system ({kind}), where SQLite's locks do not work: use --storage journal, "
            "or give the address of a database server"
        )


def check_study_readable(directory: Path, manifest: "SweepManifest") -> None:
    """Raise UserError if a sweep has trials but its study is missing or cannot be read."""
    from analysis.read import optuna_study
    from trainables import filestore

    where = filestore.open_directory(workdir.trials_uri(directory))
    if where.names("trials"):
        optuna_study.read_trials(where, manifest)


def free_bytes(directory: Path) -> int:
    """Return the free bytes of the disk that a directory is on; the directory need not exist yet."""
    absolute = directory.resolve()
    return shutil.disk_usage(next(path for path in (absolute, *absolute.parents) if path.exists())).free

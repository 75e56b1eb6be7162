"""check_lockable refuses network file systems, where SQLite's locks do not work."""

from pathlib import Path

import pytest

from gensweep.errors import UserError
from gensweep.storage import checks

MOUNTS = """overlay / overlay rw 0 0
server:/export /data nfs4 rw,relatime 0 0
tmpfs /data/scratch tmpfs rw 0 0
me@host: /home/my\\040files fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(("path", "kind"), [("/data/sweeps/gan", "nfs4"), ("/home/my files/gan", "fuse.sshfs")])
def test_checks__sqlite_on_a_network_file_system(path: str, kind: str) -> None:
    with pytest.raises(
        UserError,
        match=rf"network file system \({kind}\), .*: use --storage journal, or give the address of a database server",
    ):
        checks.check_lockable(Path(path), MOUNTS)


@pytest.mark.parametrize("path", ["/data/scratch/gan", "/database/gan", "/home/me"])
def test_checks__sqlite_on_a_local_file_system(path: str) -> None:
    checks.check_lockable(Path(path), MOUNTS)

"""Files that are written as a whole."""

from pathlib import Path

import pytest
from pyarrow import fs

from trainables import filestore
from trainables.filestore import replace_file, replace_local_file


def test_replace_file__only_new_content_left(tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        replace_local_file(tmp_path / "a.json", content)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.json", b"new")]


def test_replace_file__full_disk_keeps_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_local_file(tmp_path / "a.json", b"old")

    def write_half(files: fs.FileSystem, path: str, content: bytes) -> None:
        Path(path).write_bytes(content[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(filestore, "write_bytes", write_half)
    with pytest.raises(OSError, match="No space left"):
        replace_file(fs.LocalFileSystem(), str(tmp_path / "a.json"), b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.json", b"old")]

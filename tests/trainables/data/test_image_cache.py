"""The cache of decoded images: what is decoded again and what is not, damage, two processes, a full or closed disk."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.datafiles import paint
from PIL import Image

from trainables.data import image_cache, load
from trainables.data.dataset import Dataset, fingerprint
from trainables.data.image_files import decode
from trainables.data.pack_images import decode_all


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache; nothing is in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return image_cache.cache_folder()


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that have been decoded."""
    paths: list[str] = []

    def counted(path: str, *options: Any) -> Any:
        paths.append(path)
        return decode(path, *options)

    monkeypatch.setattr("trainables.data.pack_images.decode", counted)
    return paths


def same(a: Dataset, b: Dataset) -> bool:
    splits = zip((a.train, a.val, a.test), (b.train, b.val, b.test), strict=True)
    return a._replace(train=b.train, val=b.val, test=b.test) == b and all(
        np.array_equal(np.asarray(one.pixels), np.asarray(other.pixels))
        and np.array_equal(np.asarray(one.labels), np.asarray(other.labels))
        for one, other in splits
    )


def test_image_cache__a_second_load_decodes_nothing(tmp_path: Path, cache: Path, decodes: list[str]) -> None:
    name = f"folder:{paint(tmp_path / 'set', {'a': 20, 'b': 30}, 'RGB')}"
    first = load(name)
    assert set(decodes) == {str(path) for path in (tmp_path / "set").rglob("*.png")}
    decodes.clear()
    second = load(name)
    assert not decodes
    assert same(first, second)
    assert second.fingerprint == fingerprint((second.train, second.val, second.test))
    assert [path.name for path in cache.iterdir()] == [next(cache.iterdir()).name]
    moved = tmp_path / "moved"
    (tmp_path / "set").rename(moved)
    assert same(load(f"folder:{moved}")._replace(name=name), first)
    assert not decodes


def test_image_cache__pixels_are_mapped(tmp_path: Path, cache: Path) -> None:
    data = load(f"folder:{paint(tmp_path / 'set', {'a': 20})}")
    base: Any = data.val.pixels
    while isinstance(base, np.ndarray):
        assert not base.flags.writeable
        base = base.base
    assert type(base).__name__ == "mmap"
    buffers: list[Any] = []
    pickle.dumps(data, protocol=5, buffer_callback=buffers.append)  # so does Ray: the object store holds the pixels
    assert sum(buffer.raw().nbytes for buffer in buffers) >= data.train.n_bytes


@pytest.mark.parametrize("change", ["content", "time", "new", "gone", "name", "option"])
def test_image_cache__what_is_decoded_again(tmp_path: Path, cache: Path, decodes: list[str], change: str) -> None:
    folder, query = paint(tmp_path / "set", {"a": 20}), ""
    before = load(f"folder:{folder}")
    decodes.clear()
    file = folder / "a" / "3.png"
    file = file if file.exists() else sorted((folder / "a").iterdir())[3]
    if change == "content":
        Image.fromarray(np.full((30, 30), 255, np.uint8)).save(file)
    elif change == "time":
        os.utime(file, (1, 1))
    elif change == "new":
        shutil.copy2(file, file.with_name("zzz.png"))
    elif change == "gone":
        file.unlink()
    elif change == "name":
        file.rename(file.with_name("zzz.png"))
    else:
        query = "?size=16"
    after = load(f"folder:{folder}{query}")
    assert decodes
    assert (after.fingerprint == before.fingerprint) == (change == "time")
    assert len(list(cache.iterdir())) == 2
    decodes.clear()
    load(f"folder:{folder}{query}")
    assert not decodes


def truncate(entry: Path) -> None:
    with (entry / "pixels.npy").open("rb+") as stream:
        stream.truncate(1000)


def damage(entry: Path) -> None:
    """Change some bytes, and let the file's time be as before."""
    file = entry / "pixels.npy"
    about = file.stat()
    content = bytearray(file.read_bytes())
    content[5000:5010] = bytes(10) if any(content[5000:5010]) else b"\x01" * 10
    file.write_bytes(content)
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def evil(entry: Path) -> None:
    """Put objects in the place of numbers: to read them would be to unpickle."""
    np.save(entry / "labels.npy", np.array([Path("x"), None], object), allow_pickle=True)
    about = json.loads((entry / "entry.json").read_text())
    about["files"]["labels.npy"] = image_cache._stamp(entry / "labels.npy")
    (entry / "entry.json").write_text(json.dumps(about))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": truncate,
    "damaged": damage,
    "pickled": evil,
    "no pixels": lambda entry: (entry / "pixels.npy").unlink(),
    "no json": lambda entry: (entry / "entry.json").unlink(),
    "half a json": lambda entry: (entry / "entry.json").write_text('{"files": {'),
    "another json": lambda entry: (entry / "entry.json").write_text("[1, 2]"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_image_cache__a_damaged_entry_is_made_again(tmp_path: Path, cache: Path, decodes: list[str], kind: str) -> None:
    name = f"folder:{paint(tmp_path / 'set', {'a': 20})}"
    first = load(name)
    content = np.array(first.train.pixels)  # before the file that it is mapped from changes
    (entry,) = cache.iterdir()
    DAMAGES[kind](entry)
    decodes.clear()
    again = load(name)
    assert decodes
    assert np.array_equal(np.asarray(again.train.pixels), content)
    decodes.clear()
    load(name)
    assert not decodes
    assert list(cache.iterdir()) == [entry]


def test_image_cache__two_processes_at_once(tmp_path: Path, cache: Path) -> None:
    name = f"folder:{paint(tmp_path / 'set', {'a': 40})}"
    code = f"from trainables.data import load; print(load({name!r}).fingerprint)"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = {process.communicate()[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert printed == {f"{load(name).fingerprint}\n"}
    assert len(list(cache.iterdir())) == 1


def test_image_cache__another_process_was_faster(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"folder:{paint(tmp_path / 'set', {'a': 20})}"

    def slow(*options: Any) -> Any:
        monkeypatch.undo()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        load(name)
        return decode_all(*options)

    monkeypatch.setattr("trainables.data.folder.decode_all", slow)
    assert load(name).notes == ()
    assert len(list(cache.iterdir())) == 1


def test_image_cache__a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"folder:{paint(tmp_path / 'set', {'a': 20})}"
    kept = load(name)
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    data = load(name)
    place = tmp_path / "file/gensweep/images"
    assert data.notes == (f"the decoded images are not kept for the next start: {place}: Not a directory",)
    assert same(data._replace(notes=()), kept)


def test_image_cache__a_full_disk(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"folder:{paint(tmp_path / 'set', {'a': 40}, 'RGB')}?size=512"  # 31 MB
    monkeypatch.setenv("XDG_CACHE_HOME", str(small_disk))
    data = load(name)
    assert "not kept for the next start" in data.notes[-1]
    assert "No space left on device" in data.notes[-1]
    assert data.shape == (3, 512, 512)
    assert list(image_cache.cache_folder().iterdir()) == []


def test_image_cache__a_late_image_with_colours(tmp_path: Path) -> None:
    folder = paint(tmp_path / "set", {"a": 200})
    Image.new("RGB", (40, 40), (200, 10, 10)).save(folder / "a" / "77.png")
    data = load(f"folder:{folder}")
    assert data.shape == (3, 32, 32)
    every = np.concatenate([np.asarray(split.pixels) for split in (data.train, data.val, data.test)])
    assert sum((image[0] != image[1]).any() for image in every) == 1
    assert load(f"folder:{folder}?color=grey").shape == (1, 28, 28)


def test_image_cache__old_entries_go(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, day = paint(tmp_path / "set", {"a": 20}), 86_400
    for size in (8, 16, 20, 24):
        load(f"folder:{folder}?size={size}")
    rest = cache / "killed.partial"
    rest.mkdir()
    entries = sorted((path for path in cache.iterdir() if path != rest), key=lambda path: path.stat().st_mtime_ns)
    now = int(entries[-1].stat().st_mtime)
    for path, age in zip((*entries, rest), (70 * day, 5 * day, 2 * day, 0, 2 * day), strict=True):
        os.utime(path, (now - age, now - age))
    image_cache.remove_old(cache)
    assert set(cache.iterdir()) == set(entries[1:])
    monkeypatch.setattr(image_cache, "MAX_BYTES", 1)
    image_cache.remove_old(cache)
    assert set(cache.iterdir()) == {entries[3]}

"""Data sets of one machine are sent without their pixels, which every process maps from the same file."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from helpers.datafiles import paint

from trainables.data import image_cache, load, mapped_files
from trainables.data.dataset import Dataset, fingerprint, limited
from trainables.errors import UserError


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A folder's data set, whose pixels are mapped."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(mapped_files, "LEAST_BYTES", 0)
    return load(f"folder:{paint(tmp_path / 'set', {'a': 20, 'b': 30}, 'RGB')}?size=64")


def test_mapped_files__another_process_has_the_same(data: Dataset) -> None:
    sent = pickle.dumps(mapped_files.without_pixels(data))
    assert len(sent) < 5_000 < data.train.n_bytes
    back = mapped_files.with_pixels(pickle.loads(sent))
    assert back._replace(train=data.train, val=data.val, test=data.test) == data
    assert fingerprint((back.train, back.val, back.test)) == data.fingerprint
    assert not np.asarray(back.test.pixels).flags.writeable
    assert back.to("cpu").train.pixels.data_ptr() == np.asarray(back.train.pixels).ctypes.data


def test_mapped_files__what_is_sent_as_it_is(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = load("digits")
    assert mapped_files.without_pixels(digits) is digits
    assert mapped_files.with_pixels(digits) is digits
    some = mapped_files.without_pixels(limited(data, 20))  # a copy of some of the training images
    assert isinstance(some, mapped_files.MappedDataset)
    assert set(some.files) == {"val", "test"}
    assert len(mapped_files.with_pixels(some).train) == 20
    monkeypatch.setattr(mapped_files, "LEAST_BYTES", 2**24)
    assert mapped_files.without_pixels(data) is data


@pytest.mark.parametrize("change", ["gone", "changed"])
def test_mapped_files__the_file_is_gone(data: Dataset, change: str) -> None:
    sent = mapped_files.without_pixels(data)
    (file,) = image_cache.cache_folder().glob("*/pixels.npy")
    if change == "gone":
        file.unlink()
    else:
        file.write_bytes(b"")
    with pytest.raises(UserError, match=r"decoded images .* are gone: `gensweep resume` decodes them again"):
        mapped_files.with_pixels(sent)

"""folder:PATH: classes, sizes, grey or colour, and what is wrong with a folder, or with a name, in one line."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.datafiles import paint
from PIL import Image

from trainables.data import load
from trainables.errors import UserError


def test_folder__grey(tmp_path: Path) -> None:
    name = f"folder:{paint(tmp_path, {'b': 20, 'a': 60, 'c': 10})}"
    (tmp_path / "a" / "notes.txt").write_text("not an image, and not in the way")
    data = load(name)
    assert (data.name, data.classes, data.shape) == (name, ("a", "b", "c"), (1, 28, 28))
    shares = [np.bincount(s.labels).tolist() for s in (data.train, data.val, data.test)]
    assert shares == [[48, 16, 8], [6, 2, 1], [6, 2, 1]]
    splits = (data.train, data.val, data.test)
    third = np.concatenate([np.asarray(s.pixels)[np.asarray(s.labels) == 2, 0, 14, 14] for s in splits])
    assert sorted(third) == list(range(0, 20, 2))  # the ten images of class c, each once
    assert load(name).fingerprint == data.fingerprint


def test_folder__colour_and_options(tmp_path: Path) -> None:
    paint(tmp_path, {"a": 12, "b": 12}, "RGB")
    assert load(f"folder:{tmp_path}").shape == (3, 32, 32)
    assert load(f"folder:{tmp_path}?size=16&color=grey").shape == (1, 16, 16)
    red, green, blue = load(f"folder:{tmp_path}?size=8").test.to("cpu").gather(torch.tensor([0]), "cpu")[0][0, :, 4, 4]
    assert red > green == blue


def test_folder__grey_as_colour_and_16_bits(tmp_path: Path) -> None:
    paint(tmp_path, {"a": 10})
    for path in (tmp_path / "a").iterdir():
        Image.open(path).convert("RGB").save(path)
    deep = np.full((30, 30), 40_000, np.uint16)
    Image.fromarray(deep).save(tmp_path / "a" / "deep.png")
    data = load(f"folder:{tmp_path}")
    assert data.shape == (1, 28, 28)
    assert 40_000 >> 8 in np.concatenate([np.asarray(s.pixels)[:, 0, 0, 0] for s in (data.train, data.val, data.test)])


BAD_NAMES = {
    "fashon_mnist": r"unknown data set 'fashon_mnist': did you mean 'fashion_mnist'\? \(known: digits, .*folder:PATH\)",
    "zzz": r"unknown data set 'zzz' \(known: ",
    "folder:": "no path given",
    "folder:{}/nowhere": "image folder .*/nowhere does not exist",
    "folder:{}/file": "image folder .*/file is not a directory",
    "folder:{}/bare": "image folder .*/bare has no class folders",
    "folder:{}/empty": "class folder .*/empty/b is empty: a class needs at least 10",
    "folder:{}/few": r"class folder .*/few/a has too few images \(9\): a class needs at least 10",
    "folder:{}/empty?siez=3": r"unknown folder option 'siez': did you mean 'size'\?",
    "folder:{}/empty?size=3": r"size=3 should be a whole number from 4 to 512",
    "folder:{}/empty?size=big": r"size=big should be a whole number",
    "folder:{}/empty?color=blue": r"color=blue should be grey or rgb",
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_folder__bad_names(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "bare" / ".hidden").mkdir(parents=True)
    paint(tmp_path / "empty", {"a": 10, "b": 0})
    paint(tmp_path / "few", {"a": 9, "b": 10})
    with pytest.raises(UserError, match=BAD_NAMES[name]) as error:
        load(name.format(tmp_path))
    assert "\n" not in str(error.value)

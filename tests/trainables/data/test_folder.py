"""folder:PATH: classes, sizes, grey or colour, and what is wrong with a folder, or with a name, in one line."""

from pathlib import Path
from typing import Any

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


def values_of(name: str) -> set[int]:
    """Return the pixel values in the middle of all images of a data set."""
    data = load(name)
    return {int(value) for split in (data.train, data.val, data.test) for value in np.asarray(split.pixels)[:, 0, 8, 8]}


@pytest.mark.parametrize(
    ("top", "kind", "option", "expected", "note"),
    [
        (65_535, np.uint16, "", {0, 255}, "hold 16 bits: 0 is black, 65535 is white"),
        (4_095, np.uint16, "", {0, 255}, "hold 12 bits: 0 is black, 4095 is white"),
        (300, np.uint16, "&scale=minmax", {0, 255}, "0 is black, 300 is white"),
        (300, np.uint16, "&scale=0,600", {0, 128}, ""),
        (1.0, np.float32, "", {0, 255}, ""),
        (-3.5, np.float32, "", {0, 255}, "-3.5 is black, 0 is white"),
        (1e-4, np.float32, "&scale=percentile:0,100", {0, 255}, "0 is black, 0.0001 is white"),
    ],
)
def test_folder__more_than_8_bits(
    tmp_path: Path, top: float, kind: type, option: str, expected: set[int], note: str
) -> None:
    for i in range(12):
        values: np.ndarray[Any, Any] = np.full((20, 20), top if i % 2 else 0, kind)
        Image.fromarray(values).save(tmp_path / f"{i}.tif")
    name = f"folder:{tmp_path}?size=16{option}"
    assert values_of(name) == expected
    notes = load(name).notes
    assert len(notes) == bool(note)
    assert not note or note in notes[0]


def test_folder__as_a_viewer_shows_it(tmp_path: Path) -> None:
    for i in range(12):
        image = Image.new("RGB", (48, 32), (i, 0, 0))
        image.paste((0, 0, 255), (0, 0, 16, 32))  # blue on the left, which the tag turns to the top
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(tmp_path / f"{i}.jpg", exif=exif, quality=95)
    pixels = np.asarray(load(f"folder:{tmp_path}?size=32&crop=none").train.pixels)
    assert (pixels[:, 2, 4, 12:20] > 200).all()
    assert (pixels[:, 2, 28, 12:20] < 50).all()
    assert (pixels[:, :, 16, 0] == 0).all()  # a tall picture has black at its sides


def test_folder__transparency_on_white(tmp_path: Path) -> None:
    rubbish = np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8)
    for i in range(12):
        alpha = np.zeros((20, 20), np.uint8)
        alpha[:10] = 255
        colours = np.where(alpha[..., None] > 0, np.array([10 * i, 0, 0], np.uint8), rubbish)
        Image.fromarray(np.dstack([colours, alpha])).save(tmp_path / f"{i}.png")
    data = load(f"folder:{tmp_path}?size=20")
    assert (np.asarray(data.train.pixels)[:, :, 15] == 255).all()
    assert data.notes == ("12 images are partly transparent: they are put on white",)


def test_folder__what_is_passed_over(tmp_path: Path) -> None:
    paint(tmp_path / "set", {"a": 20, "b": 20})
    for hidden in (".ipynb_checkpoints", "__MACOSX/a", "a/.ipynb_checkpoints"):
        paint(tmp_path / "set" / hidden, {"x": 10})
    (tmp_path / "set/a/._0.png").write_bytes(b"")
    (tmp_path / "set/b/photo.heic").write_bytes(b"ftypheic")
    renamed = next((tmp_path / "set/a").glob("*.png"))
    Image.open(renamed).save(renamed.with_suffix(".jfif"), "JPEG")
    renamed.unlink()
    paint(tmp_path / "elsewhere", {"c": 20})
    (tmp_path / "set/c").symlink_to(tmp_path / "elsewhere/c")
    data = load(f"folder:{tmp_path / 'set'}")
    assert data.classes == ("a", "b", "c")
    assert len(data.train) + len(data.val) + len(data.test) == 60
    assert data.notes == ("1 files are passed over, since this kind cannot be read (.heic)",)


@pytest.mark.parametrize("layout", ["flat", "deep", "one class", "labels=none"])
def test_folder__without_labels(tmp_path: Path, layout: str) -> None:
    if layout == "flat":
        folder = paint(tmp_path, {"x": 30}) / "x"
    elif layout == "deep":
        folder = paint(tmp_path / "x", {"y": 15, "z": 15}).parent
    else:
        folder = paint(tmp_path, {"x": 30} if layout == "one class" else {"x": 5, "y": 25})
    data = load(f"folder:{folder}" + ("?labels=none" if layout == "labels=none" else ""))
    assert data.classes == ()
    assert [len(split) for split in (data.train, data.val, data.test)] == [24, 3, 3]
    assert not np.asarray(data.train.labels).any()
    assert len(load(f"folder:{folder}?labels=none&limit=20").train) == 16


def test_folder__a_given_split(tmp_path: Path) -> None:
    for part, n in {"train": 12, "val": 4, "test": 2}.items():
        paint(tmp_path / part, {"a": n, "b": n})
    data = load(f"folder:{tmp_path}")
    assert data.classes == ("a", "b")
    assert [len(split) for split in (data.train, data.val, data.test)] == [24, 8, 4]
    (tmp_path / "test/c").mkdir()
    with pytest.raises(UserError, match="test has the classes a, b, c, and train a, b"):
        load(f"folder:{tmp_path}")


@pytest.mark.parametrize(("value", "says"), [(0, "every pixel is 0"), (None, "they are all the same")])
def test_folder__nothing_to_learn(tmp_path: Path, value: int | None, says: str) -> None:
    array = np.random.default_rng(0).integers(0, 255, (20, 20), np.uint8) if value is None else np.full((20, 20), value)
    for i in range(12):
        Image.fromarray(array.astype(np.uint8)).save(tmp_path / f"{i}.png")
    with pytest.raises(UserError, match=f"12 images .* hold nothing to learn: {says}"):
        load(f"folder:{tmp_path}")


BAD_NAMES = {
    "fashon_mnist": r"unknown data set 'fashon_mnist': did you mean 'fashion_mnist'\? \(known: .*folder:PATH, .*\)",
    "zzz": r"unknown data set 'zzz' \(known: ",
    "folder:": "no path given",
    "folder:{}/nowhere": "image folder .*/nowhere does not exist",
    "folder:{}/file": "image folder .*/file is not a directory",
    "folder:{}/bare": r"image folder .*/bare has 0 images: at least 10 are needed",
    "folder:{}/empty": "class folder .*/empty/b is empty: a class needs at least 10",
    "folder:{}/few": r"class folder .*/few/a has too few images \(9\): a class needs at least 10",
    "folder:{}/empty?siez=3": r"unknown folder option 'siez': did you mean 'size'\?",
    "folder:{}/empty?size=3": r"size=3 should be a whole number from 4 to 512",
    "folder:{}/empty?size=big": r"size=big should be a whole number",
    "folder:{}/empty?color=blue": r"color=blue should be grey or rgb",
    "folder:{}/empty?crop=left": r"crop=left should be centre or none",
    "folder:{}/empty?scale=3": r"scale=3 should be minmax, percentile",
    "folder:{}/empty?scale=9,3": r"scale=9,3 should be",
    "folder:{}/empty?labels=some": r"labels=some should be none",
    "folder:{}/empty?group=(": r"group=\( should be a regular expression",
    "folder:{}/empty?limit=3": r"limit=3 should be a whole number of at least 10",
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


def test_folder__groups_stay_together(tmp_path: Path) -> None:
    for i in range(60):
        Image.new("L", (20, 20), 4 * (i // 3)).save(tmp_path / f"patient{i // 3:02}_slice{i % 3}.png")
    data = load(f"folder:{tmp_path}?size=8&group=patient(\\d+)")
    values = [set(np.asarray(split.pixels)[:, 0, 0, 0].tolist()) for split in (data.train, data.val, data.test)]
    assert [len(split) for split in (data.train, data.val, data.test)] == [48, 6, 6]
    assert [len(part) for part in values] == [16, 2, 2]
    assert len(set.union(*values)) == 20
    assert data.notes == ("20 groups of images, each in one of train, val and test (patient(\\d+))",)
    with pytest.raises(UserError, match=r"group=person matches nothing in the name patient00_slice0\.png"):
        load(f"folder:{tmp_path}?group=person")
    with pytest.raises(UserError, match="the images form 1 groups, and train, val and test need one each"):
        load(f"folder:{tmp_path}?group=patient")

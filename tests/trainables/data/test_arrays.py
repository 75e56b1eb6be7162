"""npz:, npy:, pt: and h5:: keys, axes, labels, splits, values, and what is wrong with a file, in one line."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from trainables.data import load
from trainables.data.dataset import Dataset
from trainables.errors import UserError

N = 60
RAMP = np.arange(N * 64, dtype=np.int64).reshape(N, 8, 8) % 251  # all images differ
LABELS = np.arange(N) % 3


def write(folder: Path, kind: str, arrays: dict[str, Any]) -> Path:
    """Write arrays by key as a file of a kind and return its path."""
    path = folder / f"set.{kind}"
    if kind == "npy":
        np.save(path, arrays["images"])
    elif kind == "npz":
        np.savez(path, **arrays)
    elif kind == "pt":
        torch.save({key: torch.as_tensor(value) for key, value in arrays.items()}, path)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            for key, value in arrays.items():
                file[key] = value
    return path


def npz(folder: Path, options: str = "", **arrays: Any) -> Dataset:
    """Return the data set of arrays that are written as an npz file."""
    return load(f"npz:{write(folder, 'npz', arrays)}{options}")


def all_pixels(data: Dataset) -> np.ndarray[Any, Any]:
    return np.concatenate([np.asarray(split.pixels) for split in (data.train, data.val, data.test)])


@pytest.mark.parametrize("kind", ["npz", "npy", "pt", "h5"])
@pytest.mark.parametrize("shape", [(N, 8, 8), (N, 1, 8, 8), (N, 8, 8, 1), (N, 5, 8, 8), (N, 8, 8, 3), (N, 2, 8, 6)])
def test_arrays__kinds_and_axes(tmp_path: Path, kind: str, shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    name = f"{kind}:{write(tmp_path, kind, {'images': images, 'labels': LABELS})}"
    data = load(name)
    planes = images[:, None] if len(shape) == 3 else images if shape[1] < 6 else images.transpose(0, 3, 1, 2)
    assert data.shape == planes.shape[1:]
    assert data.classes == (() if kind == "npy" else ("0", "1", "2"))
    assert [len(split) for split in (data.train, data.val, data.test)] == [48, 6, 6]
    assert sorted(map(bytes, all_pixels(data))) == sorted(map(bytes, np.ascontiguousarray(planes)))
    assert load(name).fingerprint == data.fingerprint
    assert all_pixels(load(f"{name}?size=4&crop=none")).shape == (N, planes.shape[1], 4, 4)


def test_arrays__axes_are_asked_for(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (N, 4, 9, 4)).astype(np.uint8)
    with pytest.raises(UserError, match=r"\[60, 4, 9, 4\]: add axes=nchw or axes=nhwc, since each could be"):
        npz(tmp_path, images=images)
    assert npz(tmp_path, "?axes=nchw", images=images).shape == (4, 9, 4)
    assert npz(tmp_path, "?axes=nhwc", images=images).shape == (4, 4, 9)


def test_arrays__keys(tmp_path: Path) -> None:
    data = npz(tmp_path, x=RAMP.astype(np.uint8), labels=LABELS)
    assert data.classes == ("0", "1", "2")
    assert data.notes == ("images from x [60, 8, 8], labels from labels; images=KEY&labels=KEY changes that",)
    assert npz(tmp_path, "?labels=none", x=RAMP.astype(np.uint8), labels=LABELS).classes == ()
    two = npz(tmp_path, "?images=x&labels=y&limit=30", x=RAMP.astype(np.uint8), z=RAMP, y=LABELS)
    assert (len(two.train), two.classes, two.notes) == (24, ("0", "1", "2"), ())


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (LABELS[:, None], ("0", "1", "2")),
        (np.eye(3)[LABELS], ("0", "1", "2")),
        (LABELS.astype(np.float32), ("0", "1", "2")),
        (np.array(["cat", "dog", "eel"])[LABELS], ("cat", "dog", "eel")),
        (LABELS > 0, ("0", "1")),
        (LABELS * 0, ()),
    ],
)
def test_arrays__labels(tmp_path: Path, labels: np.ndarray[Any, Any], classes: tuple[str, ...]) -> None:
    data = npz(tmp_path, images=RAMP.astype(np.uint8), labels=labels)
    assert data.classes == classes
    first = {bytes(image): k for image, k in zip(RAMP.astype(np.uint8), LABELS, strict=True)}
    if len(classes) == 3:
        pairs = zip(np.asarray(data.train.pixels), np.asarray(data.train.labels), strict=True)
        assert all(first[bytes(image)] == k for image, k in pairs)


def test_arrays__text_labels_of_h5(tmp_path: Path) -> None:
    texts = np.array(["cat", "dog", "eel"], dtype=object)[LABELS]
    assert load(f"h5:{write(tmp_path, 'h5', {'images': RAMP, 'labels': texts})}").classes == ("cat", "dog", "eel")


def test_arrays__groups_and_parts(tmp_path: Path) -> None:
    patients = np.arange(N) // 3
    grouped = npz(tmp_path, "?groups=patient", images=RAMP.astype(np.uint8), patient=patients)
    of = {bytes(image): int(patient) for image, patient in zip(RAMP.astype(np.uint8), patients, strict=True)}
    parts = [{of[bytes(image)] for image in np.asarray(split.pixels)} for split in (grouped.train, grouped.val)]
    assert len(grouped.val) == 6
    assert not parts[0] & parts[1]
    assert grouped.notes[-1] == "20 groups of images, each in one of train, val and test"
    images, other = RAMP.astype(np.uint8), RAMP[:30].astype(np.uint8)
    whole = npz(tmp_path, "?images=*_x&labels=*_y", train_x=images, train_y=LABELS, val_x=other, val_y=LABELS[:30],
                test_x=other, test_y=LABELS[:30])  # fmt: skip
    assert [len(split) for split in (whole.train, whole.val, whole.test)] == [60, 30, 30]
    cut = npz(tmp_path, "?images=x_*", x_train=images, x_test=other)
    assert [len(split) for split in (cut.train, cut.val, cut.test)] == [54, 6, 30]


FLOATS = (RAMP / 250).astype(np.float32)  # 0..1


@pytest.mark.parametrize(
    ("values", "option", "expected", "note"),
    [
        (FLOATS, "", np.array([0, 1], np.float32), ""),
        (FLOATS, "&store=uint8", np.array([0, 255], np.uint8), ""),
        (FLOATS, "&store=uint16", np.array([0, 65535], np.uint16), ""),
        ((RAMP / 255).astype(np.float32), "", np.array([0, 250], np.uint8), ""),
        ((RAMP / 127.5 - 1).astype(np.float32), "", np.array([0, 250], np.uint8), "-1 is black, 1 is white"),
        (FLOATS * 2 - 1, "", np.array([0, 1], np.float32), "-1 is black, 1 is white"),
        (RAMP.astype(np.float64), "", np.array([0, 250], np.uint8), ""),
        (FLOATS * 3 - 0.5, "", np.array([0, 1], np.float32), "values from -0.5, black, to 2.5, white"),
        ((RAMP * 16).astype(np.uint16), "", np.array([0, 64015], np.uint16), "0 is black, 4095 is white"),
        (
            (RAMP * 16).astype(np.int32),
            "&scale=minmax",
            np.array([0, 65535], np.uint16),
            "values from 0, black, to 4000, white",
        ),
        (RAMP > 100, "", np.array([0, 255], np.uint8), ""),
        (
            (RAMP % 17).astype(np.uint8),
            "",
            np.array([0, 16], np.uint8),
            "the largest value is 16, and 255 is white; scale=",
        ),
        (
            (RAMP % 16).astype(np.uint8),
            "&scale=minmax",
            np.array([0, 255], np.uint8),
            "values from 0, black, to 15, white",
        ),
        (FLOATS, "&scale=0.2,0.5", np.array([0, 1], np.float32), ""),
        (FLOATS, "&scale=percentile:10,90", np.array([0, 1], np.float32), "values from 0.0956, black, to 0.9, white"),
    ],
)
def test_arrays__values(
    tmp_path: Path, values: np.ndarray[Any, Any], option: str, expected: np.ndarray[Any, Any], note: str
) -> None:
    data = npz(tmp_path, f"?images=x{option}", x=values)
    pixels = all_pixels(data)
    assert pixels.dtype == expected.dtype
    assert [pixels.min(), pixels.max()] == expected.tolist()
    assert len(data.notes) == bool(note)
    assert not note or note in data.notes[0]
    x, _ = data.train.to("cpu").gather(torch.arange(len(data.train)), "cpu")
    full = 1 if pixels.dtype == np.float32 else np.iinfo(pixels.dtype).max
    assert x.dtype == torch.float32
    np.testing.assert_allclose(x.numpy(), np.asarray(data.train.pixels) / full, atol=1e-6)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_arrays__resized_alike_in_any_type(tmp_path: Path, kind: type) -> None:
    images = np.random.default_rng(0).integers(90, 160, (N, 12, 16)).astype(np.uint8)
    top = 1 if kind is np.float32 else np.iinfo(kind).max
    values: np.ndarray[Any, Any] = (images / 255 * top).round(0 if top > 1 else 7).astype(kind)
    for options in ("size=8", "size=8&crop=none", "size=8&store=float32"):
        eight = npz(tmp_path, f"?{options}", images=images).val.to("cpu").gather(torch.arange(6), "cpu")[0]
        other = (
            npz(tmp_path, f"?{options}&scale=0,{top}", images=values).val.to("cpu").gather(torch.arange(6), "cpu")[0]
        )
        torch.testing.assert_close(other, eight, atol=0.006, rtol=0)


def test_arrays__colour(tmp_path: Path) -> None:
    red = np.zeros((N, 3, 8, 8), np.uint8)
    red[:, 0] = RAMP
    grey = npz(tmp_path, "?color=grey", images=red)
    assert grey.shape == (1, 8, 8)
    assert all_pixels(grey).max() == round(0.299 * 250)
    assert npz(tmp_path, "?color=rgb", images=RAMP.astype(np.uint8)).shape == (3, 8, 8)
    with pytest.raises(UserError, match="color=rgb is for images of 1 or 3 channels, and these have 5"):
        npz(tmp_path, "?color=rgb", images=np.repeat(red[:, :1], 5, 1))


NAN = FLOATS.copy()
NAN[[7, 9], 2, 2] = np.nan
BAD_ARRAYS: dict[str, tuple[dict[str, Any], str, str]] = {
    "key": ({"pics": RAMP}, "?images=pcs", r"unknown key 'pcs': did you mean 'pics'\? \(known: pics \[60, 8, 8\]\)"),
    "labels key": ({"images": RAMP, "y": LABELS}, "?labels=z", r"unknown key 'z' \(known: images .*, y \[60\]\)"),
    "two": ({"a": RAMP, "b": RAMP}, "", r"say which key holds the images, \?images=KEY \(known: a .*, b .*\)"),
    "objects": ({"images": np.array([{}, 1] * 9, dtype=object)}, "", "images holds Python objects, which are never"),
    "object labels": ({"images": RAMP, "labels": np.array([None] * N, object)}, "", "labels holds Python objects"),
    "rows": ({"images": RAMP.reshape(N, 64)}, "", r"\[60, 64\]: \[N, H, W\], .* is needed: reshape the rows to images"),
    "volumes": ({"images": RAMP.reshape(N, 4, 4, 2, 2)}, "", r"\[60, 4, 4, 2, 2\]: \[N, H, W\], .* is needed"),
    "channels": ({"images": RAMP.reshape(10, 6, 8, 8)}, "", r"\[10, 6, 8, 8\]: .* with 1 to 5 channels"),
    "tiny": ({"images": RAMP.reshape(N * 4, 2, 8)}, "", r"\[240, 2, 8\]: images need a side of at least 4"),
    "few": ({"images": RAMP[:9]}, "", "has 9 images: at least 10 are needed"),
    "few of a class": ({"images": RAMP, "labels": [0] * 55 + [1] * 5}, "", r"class 1 has too few images \(5\): a "),
    "length": ({"images": RAMP, "labels": LABELS[:59]}, "", "labels has 59 labels, and images 60 images"),
    "real labels": ({"images": RAMP, "labels": LABELS + 0.5}, "", "labels are float64 numbers that are not whole"),
    "many labels": ({"images": RAMP, "labels": np.zeros((N, 4))}, "", r"labels of the shape \[60, 4\]: a label for"),
    "nan": ({"images": NAN}, "", "2 of 60 images have values that are nan or infinite, first image 7"),
    "constant": ({"images": RAMP * 0 + 3}, "", "the 60 images hold nothing to learn: every pixel is 3"),
    "equal": ({"images": np.repeat(RAMP[:1], N, 0)}, "", "the 60 images hold nothing to learn: they are all the same"),
    "text": ({"images": np.full((N, 8, 8), "x")}, "", "holds <U1 values: images are numbers"),
    "option": ({"images": RAMP}, "?image=x", r"unknown npz option 'image': did you mean 'images'\?"),
    "axes": ({"images": RAMP}, "?axes=hwc", "axes=hwc should be nchw or nhwc"),
    "large": ({"images": np.zeros((10, 600, 600), np.uint8)}, "", "images of 600 x 600 are too large: add size=64"),
    "part": ({"x_test": RAMP}, "?images=x_*", r"unknown key 'x_train' \(known: x_test"),
    "other shape": ({"x_train": RAMP, "x_test": RAMP[:, :6]}, "?images=x_*", "x_test has images of another shape than"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_arrays__bad_arrays(tmp_path: Path, case: str) -> None:
    arrays, options, says = BAD_ARRAYS[case]
    with pytest.raises(UserError, match=says) as error:
        npz(tmp_path, options, **arrays)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["npz", "npy", "pt", "h5"])
def test_arrays__bad_files(tmp_path: Path, kind: str) -> None:
    (tmp_path / "torn").write_bytes(b"PK\x03\x04 something else")
    (tmp_path / "folder").mkdir()
    cases = {"none": "none does not exist", "torn": "torn is not readable as", "folder": "is a folder, and .*: takes a"}
    for file, says in cases.items():
        with pytest.raises(UserError, match=says) as error:
            load(f"{kind}:{tmp_path / file}")
        assert "\n" not in str(error.value)


def test_arrays__nothing_is_unpickled(tmp_path: Path) -> None:
    torch.save({"images": torch.zeros(3), "net": torch.nn.Linear(2, 2)}, tmp_path / "net.pt")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object))
    for name in (f"pt:{tmp_path / 'net.pt'}", f"npy:{tmp_path / 'objects.npy'}"):
        with pytest.raises(UserError, match="holds Python objects, which are never unpickled"):
            load(name)


def test_arrays__h5_needs_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "h5", {"images": RAMP})
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UserError, match=r"HDF5 files need h5py: pip install 'gensweep\[h5\]'"):
        load(f"h5:{path}")

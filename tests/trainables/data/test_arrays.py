"""npz:, npy:, pt: and h5:: keys, axes, labels, splits, values."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.array_files import FLOATS, LABELS, RAMP, N, npz, write

from trainables.data import load
from trainables.data.dataset import Dataset
from trainables.errors import UserError


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

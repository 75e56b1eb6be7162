"""npz:, npy:, pt: and h5:: what is wrong with a file, in one line."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.array_files import FLOATS, LABELS, RAMP, N, npz, write

from trainables.data import load
from trainables.errors import UserError

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
def test_bad_arrays__bad_arrays(tmp_path: Path, case: str) -> None:
    arrays, options, says = BAD_ARRAYS[case]
    with pytest.raises(UserError, match=says) as error:
        npz(tmp_path, options, **arrays)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["npz", "npy", "pt", "h5"])
def test_bad_arrays__bad_files(tmp_path: Path, kind: str) -> None:
    (tmp_path / "torn").write_bytes(b"PK\x03\x04 something else")
    (tmp_path / "folder").mkdir()
    cases = {"none": "none does not exist", "torn": "torn is not readable as", "folder": "is a folder, and .*: takes a"}
    for file, says in cases.items():
        with pytest.raises(UserError, match=says) as error:
            load(f"{kind}:{tmp_path / file}")
        assert "\n" not in str(error.value)


def test_bad_arrays__nothing_is_unpickled(tmp_path: Path) -> None:
    torch.save({"images": torch.zeros(3), "net": torch.nn.Linear(2, 2)}, tmp_path / "net.pt")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object))
    for name in (f"pt:{tmp_path / 'net.pt'}", f"npy:{tmp_path / 'objects.npy'}"):
        with pytest.raises(UserError, match="holds Python objects, which are never unpickled"):
            load(name)


def test_bad_arrays__h5_needs_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "h5", {"images": RAMP})
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UserError, match=r"HDF5 files need h5py: pip install 'gensweep\[h5\]'"):
        load(f"h5:{path}")

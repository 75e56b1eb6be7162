"""The model files in examples/models: `gensweep check` finds no fault in them, and a sweep runs them."""

from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import done, gensweep
from PIL import Image
from sklearn.datasets import load_digits

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path.name for path in (ROOT / "examples" / "models").glob("*.py"))
DATA = {"dcgan64.py": "folder:flat?size=64", "edm.py": "h5:sky.h5"}

pytestmark = [pytest.mark.slow, pytest.mark.ray]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with digits in three forms: arrays of 28 pixels with labels, floats of 32 pixels, colour pictures."""
    folder = tmp_path_factory.mktemp("images")
    bunch = load_digits()
    small = (bunch.images * 15.9).astype(np.uint8)
    large = np.stack([np.asarray(Image.fromarray(each).resize((28, 28), Image.Resampling.BILINEAR)) for each in small])
    np.savez(folder / "digits.npz", images=large, labels=bunch.target)
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "sky.h5", "w") as file:
        file["images"] = np.log1p(np.pad(large[:600].astype(np.float32), ((0, 0), (2, 2), (2, 2))) / 30) - 0.3
    random = np.random.default_rng(0)
    (folder / "flat").mkdir()
    for i, each in enumerate(large[:400]):
        dyed = (each[..., None] * random.uniform(0.4, 1, 3)).astype(np.uint8)
        Image.fromarray(dyed).resize((64, 64), Image.Resampling.BILINEAR).save(folder / "flat" / f"{i:04d}.png")
    return folder


@pytest.mark.parametrize("name", FILES)
def test_example_model__no_fault_and_a_trial(images: Path, name: str) -> None:
    if name == "lightning_vae.py":
        pytest.importorskip("lightning")
    file, data = str(ROOT / "examples" / "models" / name), DATA.get(name, "npz:digits.npz")
    code, out, err = done(gensweep("check", file, "--dataset", data, cwd=images))
    assert (code, err) == (0, "")
    assert "no fault seen" in out
    marked = [line for line in out.splitlines() if line.startswith(("x ", "! "))]
    assert not [line for line in marked if "samples would take" not in line]  # diffusion without a GPU does
    words = ["--trials", "1", "--epochs", "1", "--train-images", "256", "--extractor", "random"]
    code, out, err = done(gensweep("run", file, "--dataset", data, *words, cwd=images))
    assert (code, err) == (0, "")
    assert "1 of 1 trials ended: 1 done" in out

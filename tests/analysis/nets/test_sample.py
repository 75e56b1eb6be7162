"""`gensweep sample`: what it draws, and what cannot be drawn."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import sweeps
from PIL import Image
from safetensors.torch import save

from analysis.figures import latent, sample_grids
from analysis.nets import sample
from analysis.read import results
from trainables.errors import UserError

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweeps.make(tmp_path_factory.mktemp("results") / "tiny")


def test_sample__grid(made: Path, tmp_path: Path) -> None:
    path = sample.save_samples(made, 10, None, tmp_path / "new" / "grid.png")
    with Image.open(path) as image:
        assert image.size == (4 * 8, 3 * 8)
    first = path.read_bytes()
    assert sample.save_samples(made, 10, None, path).read_bytes() == first
    assert sample.save_samples(made, 10, None, path, seed=1).read_bytes() != first
    assert sample.save_samples(made, 10, None, path, trial=0).read_bytes() != first


def test_sample__class(tmp_path: Path) -> None:
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    about = {"classes": names, "shape": [1, 8, 8], "fingerprint": "00", "n_train": 10, "n_val": 10, "n_test": 10}
    cgan = sweeps.make(tmp_path / "cgan", model="cgan", data=about)
    by_name = sample.save_samples(cgan, 4, "three", tmp_path / "a.png").read_bytes()
    assert sample.save_samples(cgan, 4, "3", tmp_path / "b.png").read_bytes() == by_name
    assert sample.save_samples(cgan, 4, "4", tmp_path / "c.png").read_bytes() != by_name
    with pytest.raises(UserError, match="unknown label 'thre': did you mean 'three'"):
        sample.save_samples(cgan, 4, "thre", tmp_path / "d.png")
    assert [strip.title[:7] for strip in sample_grids.compare_configurations(results.load(cgan), 1)] == [
        "Trial 1"
    ]  # other data: no real row


def test_sample__mixture(tmp_path: Path) -> None:
    dae = sweeps.make(tmp_path / "dae", model="dae")  # it has `gmm`
    drawn = Image.open(sample.save_samples(dae, 4, None, tmp_path / "dae.png"))
    assert np.asarray(drawn).std() > 0


def test_sample__refused(made: Path, tmp_path: Path) -> None:
    own, out = shutil.copytree(made, tmp_path / "own"), tmp_path / "out.png"
    with pytest.raises(UserError, match="vae knows no labels"):
        sample.save_samples(own, 4, "3", out)
    with pytest.raises(UserError, match="at least 1, not 0"):
        sample.save_samples(own, 0, None, out)
    with pytest.raises(UserError, match=r"no trial 9 .* trials 0 to 3"):
        sample.save_samples(own, 4, None, out, trial=9)
    with pytest.raises(UserError, match="ae draws nothing from noise, since it has gmm=0"):
        sample.save_samples(sweeps.make(tmp_path / "ae", model="ae"), 4, None, out)
    weights = own / "trials" / "0001" / "best.safetensors"
    weights.write_bytes(save({"decoder.0.weight": torch.zeros(3)}))
    with pytest.raises(UserError, match=r"does not fit these nets; gensweep 0\.1\.0 wrote it"):
        sample.save_samples(own, 4, None, out)
    assert latent.data(results.load(own)) == []
    weights.write_bytes(b"torn")
    with pytest.raises(UserError, match="damaged"):
        sample.save_samples(own, 4, None, out)
    weights.unlink()
    with pytest.raises(UserError, match="has no weights"):
        sample.save_samples(own, 4, None, out)
    assert not out.exists()

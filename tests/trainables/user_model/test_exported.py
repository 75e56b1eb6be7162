"""An exported folder is loaded again, and what is not one is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.user_files import write_file
from safetensors.torch import save_file

from gensweep import load_export
from trainables.errors import UserError

CONFIG = {"lr": 1e-3, "width": 8, "weight": 1.0, "batch_size": 64, "epochs": 2}
SAMPLER = ("lambda n: dec(torch.randn(n,", "lambda n, y: 0 * y.view(-1, 1, 1, 1) + dec(torch.randn(n,")


def folder(path: Path, *changes: tuple[str, str], **about: Any) -> str:
    """Write an exported folder whose decoder has constant weights."""
    write_file(path, *changes)
    content = {"model": "my_model", "file": "my_model.py", "config": CONFIG, "seed": 3}
    data = {"name": "digits", "shape": [1, 8, 8], "classes": ["zero", "one"]}
    (path / "config.json").write_text(json.dumps({**content, "data": data, **about}))
    shapes = {"enc.weight": (8, 64), "enc.bias": (8,), "dec.0.weight": (64, 8), "dec.0.bias": (64,)}
    save_file({name: torch.full(shape, 0.1) for name, shape in shapes.items()}, path / "model.safetensors")
    return str(path)


def test_load_export__draws(tmp_path: Path) -> None:
    model = load_export(folder(tmp_path))
    images = model.sample(5, seed=1)
    assert images.shape == (5, 1, 8, 8)
    assert torch.equal(model.sample(5, seed=1), images)
    assert not torch.equal(model.sample(5, seed=2), images)
    assert model.about["config"] == CONFIG
    with pytest.raises(UserError, match="takes no labels"):
        model.sample(5, label="one")


def test_load_export__by_label(tmp_path: Path) -> None:
    model = load_export(folder(tmp_path, SAMPLER))
    assert torch.equal(model.sample(3, label="one"), model.sample(3, label=1))
    with pytest.raises(UserError, match="label 'two': the classes are zero, one"):
        model.sample(3, label="two")


def test_load_export__refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder of gensweep export"):
        load_export(str(tmp_path))
    with pytest.raises(UserError, match="from model import load"):
        load_export(folder(tmp_path, file=None))
    (tmp_path / "code.zip").write_bytes(b"no zip")
    with pytest.raises(UserError, match="not a zip of text files"):
        load_export(folder(tmp_path))

"""A trial's directory: what a kill may leave behind, and what the next attempt makes of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.fs as pafs
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from trainables.filestore import open_filesystem
from trainables.trial_files import TrialFiles


def snapshot(epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "nets": {"g": {"w": torch.full((2,), float(epoch))}}, "row": {"epoch": epoch}}


@pytest.fixture
def files(tmp_path: Path) -> TrialFiles:
    return TrialFiles(str(tmp_path), 7)


def test_trial_files__two_newest_checkpoints(files: TrialFiles, tmp_path: Path) -> None:
    assert files.newest_checkpoint() is None
    for epoch in (1, 2, 10):
        files.save_checkpoint(snapshot(epoch))
    assert sorted(p.name for p in (tmp_path / "0007").glob("checkpoint*")) == [
        "checkpoint_0002.pt",
        "checkpoint_0010.pt",
    ]
    newest = files.newest_checkpoint()
    assert newest is not None
    assert newest["epoch"] == 10


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 torn", b"not a checkpoint"])
def test_trial_files__damaged_checkpoint(files: TrialFiles, tmp_path: Path, damage: bytes) -> None:
    files.save_checkpoint(snapshot(1))
    files.save_checkpoint(snapshot(2))
    (tmp_path / "0007" / "checkpoint_0002.pt").write_bytes(damage)
    found = files.newest_checkpoint()
    assert found is not None
    assert found["epoch"] == 1


def test_trial_files__truncated_checkpoint(files: TrialFiles, tmp_path: Path) -> None:
    files.save_checkpoint(snapshot(1))
    files.save_checkpoint(snapshot(2))
    path = tmp_path / "0007" / "checkpoint_0002.pt"
    path.write_bytes(path.read_bytes()[:-200])
    found = files.newest_checkpoint()
    assert found is not None
    assert found["epoch"] == 1


def test_trial_files__rows_cut_at_next_attempt(files: TrialFiles, tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        files.append_row({"epoch": epoch, "loss": float("nan"), "shares": [0.5, float("inf")]})
    path = tmp_path / "0007" / "rows.jsonl"
    with path.open("a") as stream:
        stream.write('{"epoch": 4, "lo')  # torn by a kill
    files.cut_rows(before=3)
    files.append_row({"epoch": 3})
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows == [
        {"epoch": 1, "loss": None, "shares": [0.5, None]},
        {"epoch": 2, "loss": None, "shares": [0.5, None]},
        {"epoch": 3},
    ]


def test_trial_files__samples_row_by_row(files: TrialFiles, tmp_path: Path) -> None:
    images = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 1, 2, 3)
    files.save_samples(3, images, 2)
    with Image.open(tmp_path / "0007" / "samples" / "epoch_0003.png") as image:
        sheet = np.asarray(image)
    assert sheet[::2, ::3].tolist() == [[0, 1], [2, 3], [4, 0]]
    files.save_samples(4, torch.rand(4, 3, 2, 2).mul(255).to(torch.uint8), 2)
    with Image.open(tmp_path / "0007" / "samples" / "epoch_0004.png") as image:
        assert image.mode == "RGB"


def test_trial_files__best_weights_carry_their_row(files: TrialFiles, tmp_path: Path) -> None:
    files.save_best({"g.w": torch.ones(2, 3).t()}, {"row": {"fid": 1.5}, "model": "gan"})
    with safe_open(tmp_path / "0007" / "best.safetensors", "pt") as stored:
        assert json.loads(stored.metadata()["row"]) == {"fid": 1.5}
        assert stored.get_tensor("g.w").shape == (3, 2)


def test_trial_files__url(tmp_path: Path) -> None:
    system, path = open_filesystem(f"file://{tmp_path}")
    assert isinstance(system, pafs.LocalFileSystem)
    assert path == str(tmp_path)

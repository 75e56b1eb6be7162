"""Trials of the driver's machine map the file of the images; nothing of it goes to Ray's object store."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.launching import launched, told

from gensweep.tune import ray_session
from trainables.data import load, mapped_files
from trainables.data.dataset import Split


@pytest.mark.ray
@pytest.mark.slow
def test_mapped_data__trials_read_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits, sent = load("digits"), []
    changes: dict[str, Any] = {}
    for name in ("train", "val", "test"):
        split: Split = getattr(digits, name)
        np.save(tmp_path / name, np.asarray(split.pixels))
        changes[name] = Split(np.asarray(np.load(tmp_path / f"{name}.npy", mmap_mode="r")), split.labels)
    mapped = digits._replace(**changes)
    without_pixels = mapped_files.without_pixels

    def noted(data: Any) -> Any:
        sent.append(without_pixels(data))
        return sent[-1]

    monkeypatch.setattr("trainables.data.load", lambda *_: mapped)
    monkeypatch.setattr(mapped_files, "LEAST_BYTES", 0)
    monkeypatch.setattr(mapped_files, "without_pixels", noted)
    with ray_session.ray_environment(), ray_session.connect(None, {"num_cpus": 1}):
        directory, _ = launched(tmp_path / "results", trials=1)
    assert [state for state, _, _ in told(directory)] == ["complete"]
    assert [type(data) for data in sent] == [mapped_files.MappedDataset]

"""The disk that a sweep needs against what is free, without Ray."""

from pathlib import Path
from typing import Any

import pytest
from helpers.full_disk import fill

from gensweep.config.options import Options
from gensweep.errors import UserError
from gensweep.sweep import disk_estimate
from gensweep.sweep.run_sweep import prepare_sweep, search_space


def test_disk_estimate__disk_too_small(small_disk: Path) -> None:
    def looked(**options: Any) -> None:
        asked = Options("vae", results=str(small_disk), **options)
        directory, manifest, data = prepare_sweep(asked, ["gensweep"])
        disk_estimate.check_disk_space(directory, manifest, search_space(manifest), data, 1)

    looked(trials=1)
    with pytest.raises(UserError, match=r"has 8.39 MB left, and 9 trials need .* of it for checkpoints"):
        looked(trials=9)
    looked(trials=9, keep_checkpoints="4.2MB")
    fill(small_disk, 2_000_000)
    with pytest.raises(UserError, match=r"has 2 MB left, and 9 trials need"):
        looked(trials=9, keep_checkpoints="4.2MB")
    with pytest.raises(UserError, match=r"keep-checkpoints 400 kB: 1 trials at once need"):
        looked(trials=1, keep_checkpoints="400kB")

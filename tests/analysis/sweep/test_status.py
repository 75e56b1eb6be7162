"""The state of a sweep: trials by state, best so far."""

import shutil
from pathlib import Path

import pytest
from helpers.sweeps import rewrite

from analysis.read import results
from analysis.sweep import ranking, status
from trainables.errors import UserError


def test_status__counts(own: Path) -> None:
    rewrite(own, trials=10)
    found = status.summary(results.load(own))
    assert {key: found[key] for key in ("done", "stopped", "failed", "open", "waiting", "asked")} == {
        "done": 2, "stopped": 1, "failed": 1, "open": 0, "waiting": 6, "asked": 10,
    }  # fmt: skip
    assert found["reasons"] == {"nan": 1}
    assert found["best"] == {"number": 1, "value": 12.5, "values": {"fid": 12.5}, "best_epoch": 4}
    assert "best so far: trial 1, FID 12.5 at epoch 4" in status.format_status(results.load(own))


def test_status__before_the_first_trial(own: Path) -> None:
    (own / "study.db").unlink()
    shutil.rmtree(own / "trials")
    sweep = results.load(own)
    assert status.summary(sweep)["waiting"] == 4
    assert results.read_rows(sweep).rows.empty
    with pytest.raises(UserError, match=r"no trial of .* has a score yet"):
        ranking.ranked_trials(sweep)

"""Ranking the trials of a sweep, by hand numbers."""

import json
from pathlib import Path

import pytest
from helpers import sweeps
from helpers.sweeps import rewrite

from analysis.read import results
from analysis.sweep import ranking, status
from trainables.errors import UserError


def test_ranking__ties_and_failures(made: Path) -> None:
    sweep = results.load(made)
    assert ranking.ranked_trials(sweep)["number"].tolist() == [1, 0, 2]  # trial 3 failed after reaching 5.0


def test_ranking__maximised_objective(own: Path) -> None:
    highest = {"metric": "fid", "mode": "max"}
    rewrite(own, objective=highest, objectives=[highest])
    sweep = results.load(own)
    lead = ranking.top_entries(sweep, 1)[0]
    assert (lead["number"], lead["value"], lead["best_epoch"]) == (2, 90.0, 1)


def test_ranking__top_entries(made: Path) -> None:
    first, second = ranking.top_entries(results.load(made), 2)
    assert json.loads(json.dumps(first)) == first
    assert (first["number"], first["value"], first["best_epoch"], first["epochs_done"]) == (1, 12.5, 4, 5)
    assert first["config"] == sweeps.FIXED | {"lr": 3e-3, "batch_size": 64, "likelihood": "bernoulli"}
    assert first["seed"] == 101
    assert first["metrics"]["updates"] == 80
    assert second["number"] == 0
    with pytest.raises(UserError, match="at least 1, not 0"):
        ranking.top_entries(results.load(made), 0)


def test_ranking__table_and_margin(made: Path) -> None:
    lines = ranking.format_table(results.load(made), 2).splitlines()
    assert lines[0].split() == ["rank", "trial", "state", "fid", "epoch", "lr", "batch_size", "likelihood"]
    assert lines[1].split() == ["1", "1", "done", "12.5", "4", "0.003", "64", "bernoulli"]
    assert len({len(line) for line in lines[:3]}) == 1
    assert lines[4] == (
        "Trial 1 reaches FID 12.5, the defaults (trial 0) 20, both after at most 5 epochs (100 updates): 7.5 better "
        "(38%)."
    )
    shown = ["FID              12.5", "effective modes  9.5 classes", "precision        0.75 0..1"]
    assert lines[6:] == ["Trial 1:", *(f"  {line}" for line in shown), "  nats per image   102.5 nats"]


def test_ranking__all_failed(tmp_path: Path) -> None:
    failed = sweeps.make(tmp_path / "bad", [sweeps.TRIALS[3]] * 2)
    with pytest.raises(UserError, match=r"all 2 trials of .*bad' failed \(2 nan\)"):
        ranking.format_table(results.load(failed), 5)
    assert status.summary(results.load(failed))["best"] is None

"""The winner compared with the defaults after equal training, by hand numbers."""

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import sweeps
from helpers.sweeps import rewrite
from optuna.trial import TrialState

from analysis.read import results
from analysis.report import sweep_page
from analysis.sweep import margin, ranking, trial_metrics
from analysis.sweep.margin import Margin

pytestmark = pytest.mark.long

SHORT, LONG = [60.0, 40.0], [70.0, 30.0, 20.0, 10.0]


def make(directory: Path, defaults: list[float], other: list[float], **changes: Any) -> results.Sweep:
    """A sweep of the defaults and one other trial, with these values by epoch."""
    params = dict(sweeps.TRIALS[0][1])
    plan: list[sweeps.Planned] = [(TrialState.COMPLETE, params, values) for values in (defaults, other)]
    return results.load(sweeps.make(directory, plan, **changes))


def test_margin__equal_lengths(made: Path) -> None:
    sweep = results.load(made)
    assert margin.margin_over_defaults(sweep, 1) == Margin(20.0, 12.5, 7.5, 0.375, 5, (100, 100))


def test_margin__maximised_objective(own: Path) -> None:
    highest = {"metric": "fid", "mode": "max"}
    rewrite(own, objective=highest, objectives=[highest])
    ahead = margin.margin_over_defaults(results.load(own), 2)  # stopped after 2 epochs
    assert ahead == Margin(60.0, 90.0, 30.0, 0.5, 2, (40, 40))


def test_margin__defaults_trained_shorter(tmp_path: Path) -> None:
    """An old sweep may have stopped them, and a sweep of `epochs` trains others for longer."""
    sweep = make(tmp_path / "s", SHORT, LONG)
    assert ranking.headline(sweep) == (
        "Trial 1 reaches FID 10, but the defaults (trial 0) were trained for only 2 epochs. Both after at most 2 "
        "epochs (40 updates), trial 1 reaches 30 and the defaults 40: 10 better (25%)."
    )
    (fid, *_) = trial_metrics.metric_rows(sweep, 1)
    assert (fid["value"], fid["default"]) == ("30", "40")
    assert trial_metrics.describe_epochs(sweep, 1).endswith(
        "each at its best epoch after at most 2 epochs (40 updates)"
    )
    assert trial_metrics.format_metrics(sweep, 1).splitlines()[1].split() == ["FID", "10"]
    (line,) = sweep_page.comparison_context([sweep])["lines"]
    assert (line["value"], line["default"], line["budget"]) == ("30", "40", "2 epochs (40 updates)")


def test_margin__winner_only_longer(tmp_path: Path) -> None:
    sweep = make(tmp_path / "s", [40.0, 35.0], [50.0, 42.0, 20.0])
    assert "trial 1 reaches 42 and the defaults 35: 7 worse (20%)." in ranking.headline(sweep)


def test_margin__winner_trained_shorter(tmp_path: Path) -> None:
    sweep = make(tmp_path / "s", [70.0, 60.0, 50.0, 20.0], [15.0])
    assert ranking.headline(sweep) == (
        "Trial 1 reaches FID 15, the defaults (trial 0) 70, both after at most 1 epoch (20 updates): 55 better (79%)."
    )


def test_margin__other_updates(tmp_path: Path) -> None:
    sweep = make(tmp_path / "s", [40.0, 35.0], [30.0, 20.0])
    path = tmp_path / "s" / "trials" / "0001" / "rows.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        row["updates_g"], row["updates_d"] = 1_000 * row["epoch"], 5_000 * row["epoch"]
    path.write_text("".join(json.dumps({**row, "updates": 9_999}) + "\n" for row in rows))
    assert "after at most 2 epochs (the defaults 40, the winner 2,000 updates): " in ranking.headline(sweep)


def test_margin__updates_that_are_not_counted(tmp_path: Path) -> None:
    sweep = make(tmp_path / "s", [40.0, 35.0], [30.0, 20.0])  # of a model of the user's own
    for path in (tmp_path / "s" / "trials").glob("*/rows.jsonl"):
        path.write_text(path.read_text().replace('"updates"', '"steps"'))
    assert "both after at most 2 epochs: " in ranking.headline(sweep)


@pytest.mark.parametrize("limit", ["modes>=9", "fid<=25"])
def test_margin__only_epochs_that_meet_the_constraints(tmp_path: Path, limit: str) -> None:
    values = {"modes": [9.5, 9.5]} if limit.startswith("modes") else {}
    sweep = make(tmp_path / "s", [40.0, 24.0], [30.0, 26.0, 20.0], constraints=[limit], further=values or None)
    ahead = margin.margin_over_defaults(sweep, 1)
    if values:
        assert ahead is not None
        assert ahead.gain == -2
    else:
        assert ahead is None
        assert ranking.headline(sweep) == (
            "The defaults (trial 0) and trial 1 have no scores within the same epochs, so the winner cannot be "
            "compared with them."
        )


def test_margin__defaults_failed(tmp_path: Path) -> None:
    sweep = results.load(sweeps.make(tmp_path / "s", [sweeps.TRIALS[3], sweeps.TRIALS[1]]))
    assert margin.margin_over_defaults(sweep, 1) is None
    assert ranking.headline(sweep).startswith("The defaults (trial 0) failed (nan), so the winner cannot")
    assert "their scores cannot be compared" in trial_metrics.describe_epochs(sweep, 1)

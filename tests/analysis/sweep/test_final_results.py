"""The statistics of finalists, on scores worked out by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.finalists import NOISE, SEEDS, proven, told
from helpers.sweeps import make

from analysis.figures.finalist_scores import data as proof_data
from analysis.read import results
from analysis.sweep import final_results, final_results_text
from search_spaces.param import Param
from trainables.errors import UserError

pytestmark = pytest.mark.long


def test_final_results__pick_margin_and_ties(tmp_path: Path) -> None:
    lead: list[float | None] = [14 + e for e in NOISE]
    same: list[float | None] = [14.05 - e for e in NOISE]
    defaults: list[float | None] = [20 + e + 0.01 * k for k, e in enumerate(NOISE)]
    sweep = proven(tmp_path / "s", told(1, 12.5, lead), told(2, 20.0, same, collapsed=2), told(0, 20.0, defaults))
    found = final_results.load(sweep)
    assert found is not None
    assert found.pick.number == 1
    by_number = {one.number: one for one in found.against}
    assert not by_number[0].tied
    assert by_number[0].gain == pytest.approx(6 + 0.035)
    assert (by_number[0].p, by_number[0].p_holm) == (2 / 256, 4 / 256)
    assert by_number[0].effect == pytest.approx(6.035 / np.std(0.01 * np.arange(8), ddof=1))
    assert by_number[2].tied
    assert by_number[2].gain == pytest.approx(0.05)
    text = final_results_text.format_finalists(sweep, found)
    assert "it beats the defaults by 6.04" in text
    assert "Tied with trial 2" in text
    assert "In the search it scored 12.5, from one training" in text
    assert "average 15, which is 2.5 worse" in text  # val is test + 1 here
    assert final_results_text.finalist_rows(sweep, found)[1]["collapsed"] == "2"
    (panel,) = proof_data(sweep)
    assert panel.names == ["trial 1", "trial 2", "trial 0 (defaults)"]
    assert panel.search == [12.5, 20.0, 20.0]


def test_final_results__says_if_the_defaults_are_trained_for_other_epochs(tmp_path: Path) -> None:
    lead, defaults = [14 + e for e in NOISE], [20 + e for e in NOISE]
    sweep = proven(tmp_path / "s", told(1, 12.5, list(lead)), told(0, 20.0, list(defaults)))
    final = final_results.load(sweep)
    assert final is not None
    assert "epochs" not in final_results_text.headline(sweep, final)
    searched = sweep.manifest._replace(space={**sweep.space, "epochs": Param("int", 5, 40)})
    longer = sweep._replace(manifest=searched, trials=sweep.trials.assign(epochs=40))
    text = final_results_text.headline(longer, final)
    assert "(p = 0.0078); it is trained for 40 epochs, the defaults for 5." in text


def test_finalize_pick__never_one_that_mostly_fails(tmp_path: Path) -> None:
    rarely: list[float | None] = [5.0, 5.1, 5.2, None, None, None, None, None]
    sweep = proven(tmp_path / "s", told(1, 12.5, rarely), told(0, 20.0, [20.0 + e for e in NOISE]))
    found = final_results.load(sweep)
    assert found is not None
    assert found.pick.number == 0
    assert found.against[0].n == 3
    assert final_results_text.finalist_rows(sweep, found)[1]["failed"] == "5"
    assert "the search found nothing better" in final_results_text.headline(sweep, found)
    nothing = proven(tmp_path / "t", told(1, 12.5, [None] * SEEDS))
    assert final_results.load(nothing) is None


def test_finalist_without_a_score_comes_last_when_maximised(tmp_path: Path) -> None:
    lead, behind = [20.0 + e for e in NOISE], [10.0 + e for e in NOISE]
    finalists = [told(1, 12.5, list(lead)), told(2, 12.5, [None] * SEEDS), told(0, 20.0, list(behind))]
    sweep = proven(tmp_path / "s", *finalists, objective={"metric": "fid", "mode": "max"})
    found = final_results.load(sweep)
    assert found is not None
    assert [one.number for one in final_results.pick_first(sweep, found)] == [1, 0, 2]


def test_finalize_pick__all_break_constraint(tmp_path: Path) -> None:
    better, defaults = [10.0 + e for e in NOISE], [20.0 + e for e in NOISE]
    finalists = [told(1, 12.5, list(better)), told(0, 20.0, list(defaults))]
    for k, one in enumerate(finalists[0]["seeds"]):
        one["broke"] = k < 5
    make(tmp_path / "s", constraints=["fid<=25"])
    picked = {}
    for broken in (0, 5):
        for k, one in enumerate(finalists[1]["seeds"]):
            one["broke"] = k < broken
        meta = {"format": 1, "seeds": SEEDS, "test_stamp": {"reference": "test"}, "finalists": finalists}
        (tmp_path / "s" / "final.json").write_text(json.dumps(meta))
        sweep = results.load(tmp_path / "s")
        found = final_results.load(sweep)
        assert found is not None
        picked[broken] = found.pick.number
        assert final_results_text.report_context(sweep, found)["heads"][-1] == "breaks a constraint"
        assert ("with 5 of them it breaks fid<=25" in final_results_text.headline(sweep, found)) is (broken == 5)
    assert picked == {0: 0, 5: 1}


def test_final_results__unfinished_or_broken(tmp_path: Path) -> None:
    sweep = proven(tmp_path / "s", told(1, 12.5, [5.0, 5.1]))
    assert final_results.load(sweep) is None
    (tmp_path / "s" / "final.json").write_text("{")
    with pytest.raises(UserError, match="broken"):
        final_results.load(sweep)
    (tmp_path / "s" / "final.json").write_text('{"format": 7}')
    with pytest.raises(UserError, match="format 1"):
        final_results.load(sweep)


def test_final_results__too_few_seeds(tmp_path: Path) -> None:
    few = [told(k, 10.0 + k, [10.0 + k + e for e in NOISE[:5]]) for k in range(3)]
    for one in few:
        one["seeds"] = one["seeds"][:5]
    sweep = proven(tmp_path / "s", *few)
    meta = json.loads((tmp_path / "s" / "final.json").read_text()) | {"seeds": 5}
    (tmp_path / "s" / "final.json").write_text(json.dumps(meta))
    found = final_results.load(sweep)
    assert found is not None
    # two comparisons: 2 * 2 / 2^n <= .05 from n = 7 on
    assert "add 2 (--add-seeds)" in final_results_text.format_finalists(sweep, found)

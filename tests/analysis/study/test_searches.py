"""Searches as arms of a study: their controls, the figure with bands and points, and the study on the digits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import sweeps
from helpers.sweeps import DRAWS

from analysis.read import results
from analysis.read.results import Trial
from analysis.study import claims, study_results
from analysis.study.figures import searches
from analysis.study.figures.registry import render_figure
from analysis.study.study_results import Arm
from analysis.sweep import random_search
from gensweep.cli.main import main
from gensweep.config.resolve import make_manifest
from gensweep.sweep.study_arms import StudyOptions, control_options, resolve_arm, search_options, training_options
from search_spaces.param import Param
from search_spaces.studies import STUDIES

pytestmark = pytest.mark.long

pytestmark = pytest.mark.long


def test_searches__control_has_same_space_and_budget() -> None:
    own = resolve_arm(StudyOptions("searched-enough", trials=7), "gan-searched")
    search, random = (make_manifest(options, []) for options in (search_options(own), control_options(own)))
    assert (search.trials, random.trials) == (7, 7)
    assert (search.sampler, random.sampler) == ("tpe", "random")
    assert search.space == random.space
    assert search.space["epochs"] == Param("fixed", value=13)  # trials and images are one budget
    assert {search.scheduler, random.scheduler} == {"none"}
    assert search.defaults["lr_g"] == 2e-4  # begins at the report's point
    hand = make_manifest(training_options(resolve_arm(StudyOptions("searched-enough"), "gan-report")), [])
    assert hand.defaults == search.defaults
    assert len({search.seed, random.seed, hand.seed}) == 3


def row(value: float) -> dict[str, Any]:
    about = {"epoch": 5, "epochs": 5, "eval_epoch": 5, "status": "ok"}
    return {**about, "fid": value, "n_images": 6285, "wall_s": 5.0}


@pytest.fixture
def arms(tmp_path: Path) -> list[Arm]:
    """A VAE whose random search draws around 20 at best, a CGAN's half of that; and a point set by hand."""
    made = []
    for model, scale in (("vae", 1.0), ("cgan", 0.5)):
        trials = [(state, point, [scale * told[0]]) for state, point, told in DRAWS * 6]
        random = sweeps.make(tmp_path / f"{model}-random", trials, model, sampler="random", scheduler="none")
        search = sweeps.make(tmp_path / f"{model}-search", trials[:6], model)
        kept = [results.read_rows(results.load(path)) for path in (search, random)]
        seeds = [Trial(k, k, {}, [row(scale * (11 + 0.1 * k))], None) for k in range(8)]
        made.append(Arm(model, "", kept[0], seeds, 0, 6, *kept))
    hand = [Trial(k, k, {}, [row(21.0 + 0.1 * k)], None) for k in range(8)]
    return [*made, Arm("vae-hand", "", made[0].sweep, hand, 0, 0)]


def test_searches__figure(arms: list[Arm]) -> None:
    info = searches.data(arms, "trials")
    assert info is not None
    assert [line.name for line in info.lines] == ["vae", "cgan"]
    assert info.lines[0].y[-1] == 10
    assert len(info.lines[0].n_x) == 35  # the defaults were not drawn
    vae, cgan, hand = info.points
    assert (vae.x, vae.by_hand, vae.line) == (6, False, 0)
    assert (hand.x, hand.by_hand, hand.line) == (1, True, 0)
    assert cgan.y == pytest.approx(0.5 * 11.35)
    assert hand.low < 21.35 < hand.high
    assert "cgan is ahead of vae from 1 trials on by the medians, and the bands are apart" in searches.caption(info)
    seconds = searches.data(arms, "seconds")
    assert seconds is not None
    assert (seconds.points[0].x, seconds.points[2].x) == (6, 5)
    drawn = render_figure("budget:trials", arms)
    assert drawn is not None
    assert drawn.title == "Expected best against trials"
    assert searches.data(arms[2:], "trials") is None


def test_searches__bands_of_several_are_wider(arms: list[Arm]) -> None:
    info = searches.data(arms, "trials")
    alone = searches.data(arms[:1], "trials")
    assert info is not None
    assert alone is not None
    assert (info.lines[0].worse >= alone.lines[0].worse).all()
    assert (info.lines[0].worse > alone.lines[0].worse).any()


def test_searches__order_of_two_curves() -> None:
    fast = random_search.BestOfNCurve(np.array([9.0, 8.0, 7.0]), np.array([8.0, 7.0, 6.0]), np.array([10.0, 9.0, 7.5]))
    late = random_search.BestOfNCurve(
        np.array([20.0, 6.0, 5.0]), np.array([15.0, 5.0, 4.0]), np.array([30.0, 8.0, 5.5])
    )
    found = random_search.compare_curves(fast, late)
    assert found.budgets.tolist() == [1, 2, 3]
    assert found.median.tolist() == [1, -1, -1]
    assert found.band.tolist() == [1, 0, -1]
    dear = random_search.compare_curves(fast, late, (1.0, 2.0))  # the second pays twice for a draw
    assert dear.budgets.tolist() == [1, 2, 3]
    assert dear.median.tolist() == [1, 1, 1]


@pytest.mark.slow
def test_searches__study_on_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["--dataset", "digits", "--trials", "3", "--epochs", "1", "--seeds", "5", "--train-images", "300"]
    assert main(["study", "searched-enough", *small]) == 0
    home = tmp_path / "results" / "study-searched-enough"
    before = {path: path.stat().st_mtime_ns for path in home.glob("*/trials/*/rows.jsonl")}
    arms = STUDIES["searched-enough"].arms.values()
    assert len(before) == 5 * len(arms) + 2 * 3 * sum(arm.control for arm in arms)
    assert main(["study", "searched-enough", *small]) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before  # nothing is trained twice
    told = study_results.load(home)
    assert {len(arm.control.trials) for arm in told.arms.values() if arm.control is not None} == {3}
    assert all(verdict.n == 5 for verdict in claims.decide_claims(told))
    assert main(["report", str(home)]) == 0
    page = (home / "report" / "index.html").read_text()
    assert "Expected best against trials" in page
    assert "by the medians" in page
    assert "FID on test" in page

"""What searches reach for what they spend: the band on a space of known optimum, the figure's numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import sweeps
from helpers.manifests import small_manifest
from helpers.sweeps import DRAWS

from analysis.figures import best_vs_budget as figure
from analysis.read import results
from analysis.report import sweep_page
from analysis.sweep import commands, random_search

N, REPEATS, FAILS = 40, 1_000, 0.1


def searches(seed: int) -> Any:
    """REPEATS random searches of N trials: x is drawn from 0 to 1, its loss is (2 x - 1)^2, and a tenth fail."""
    source = np.random.default_rng(seed)
    losses = (2 * source.random((REPEATS, N)) - 1) ** 2
    return np.where(source.random(losses.shape) < FAILS, np.inf, losses)


def truth(n: Any) -> Any:
    """The median of the best of n: P(loss < t) = .9 sqrt(t), so Q(q) = (q / .9)^2; the optimum is 0 at x = 1/2."""
    return ((1 - 0.5 ** (1 / np.asarray(n))) / (1 - FAILS)) ** 2


def test_random_search__band_coverage() -> None:
    right = truth(np.arange(1, N + 1))
    held = sum(
        bool(((one.low <= right) & (right <= one.high)).all())
        for one in map(random_search.random_search_curve, searches(1))
    )
    error = (0.95 * 0.05 / REPEATS) ** 0.5
    assert 0.95 - 3 * error <= held / REPEATS <= 0.95 + 3 * error + 0.01


def test_random_search__band_depends_on_the_level() -> None:
    right = truth(np.arange(1, N + 1))
    curves = [random_search.random_search_curve(one, level=0.5) for one in searches(2)]
    held = np.mean([((one.low <= right) & (right <= one.high)).all() for one in curves])
    assert 0.45 <= held <= 0.57


def test_random_search__curve_near_the_truth() -> None:
    found = [random_search.random_search_curve(one) for one in searches(3)]
    right = truth(np.arange(1, N + 1))
    assert np.median([one.median[1] for one in found]) == pytest.approx(right[1], rel=0.2)
    assert np.mean([np.isfinite(one.high[-1]) for one in found]) == 1  # no search of 40 is worse than this
    assert np.mean([one.high[9] < right[0] for one in found]) > 0.9  # ten trials are better than one
    assert np.mean([np.isfinite(one.low[2]) for one in found]) == 1
    assert all(one.low[-1] == -np.inf for one in found)  # 40 trials cannot tell how good the best of 40 may be


def test_random_search__by_hand() -> None:
    low, high = random_search.band_ranks(1, 2)
    assert (low.tolist(), high.tolist()) == ([0, 0], [2, 2])  # one draw bounds nothing
    low, high = random_search.band_ranks(300, 300)
    assert (np.diff(low) <= 0).all()
    assert (np.diff(high) <= 0).all()
    assert (low < high).all()
    found = random_search.random_search_curve([3.0, 1.0, 2.0, np.inf], 3)
    assert found.median.tolist() == [2.0, 2.0, 1.0]  # quantiles at .5, .293 and .206
    assert random_search.random_search_curve([np.inf] * 3).median[0] == np.inf
    with pytest.raises(ValueError, match="at least 1"):
        random_search.random_search_curve([])


def test_random_search__spent_and_reached(tmp_path: Path) -> None:
    random = results.load(sweeps.make(tmp_path / "s", DRAWS, sampler="random", scheduler="none"))
    told = random_search.trial_costs(results.read_rows(random))
    assert told["loss"].tolist() == [20.0, 30.0, np.inf, 10.0, 15.0, 12.0]
    assert told["images"].tolist() == [1257] * 6
    assert told["seconds"].tolist() == [1.0] * 6
    assert random_search.random_trials(random, told)["number"].tolist() == [1, 2, 3, 4, 5]  # not the defaults
    named = random._replace(manifest=random.manifest._replace(points=[{"lr": 1e-3}]))
    assert random_search.random_trials(named, told)["number"].tolist() == [2, 3, 4, 5]
    assert [random_search.best_within(told, "images", images) for images in (1000, 1257, 3 * 1257, 9999)] == [
        np.inf,
        20,
        20,
        10,
    ]
    assert np.isnan(random_search.trial_costs(random)["images"]).all()  # no rows were read


@pytest.mark.long
def test_random_search__band_needs_independent_draws(tmp_path: Path) -> None:
    sweep = results.read_rows(results.load(sweeps.make(tmp_path / "s", DRAWS)))
    panels = figure.data(sweep)
    assert [panel.unit for panel in panels] == ["images", "seconds"]
    assert all(not len(panel.lines[0].n_x) for panel in panels)
    assert "what tpe proposes depends on earlier trials" in figure.caption(panels)
    assert " ".join(commands.control_command(sweep)) in figure.caption(panels)
    assert commands.control_command(sweep)[:7] == [
        "gensweep",
        "run",
        "vae",
        "--dataset",
        "digits",
        "--sampler",
        "random",
    ]
    named = {"scheduler": "none", "points": [{"lr": 1e-3}] * 5}
    for changes in ({"scheduler": "asha"}, {"scheduler": "none", "study": "s@2"}, named):
        manifest = small_manifest(**{**sweep.manifest._asdict(), "sampler": "random", **changes})
        assert random_search.why_no_band(sweep._replace(manifest=manifest))


@pytest.mark.long
def test_random_search__no_band_for_points_alone(tmp_path: Path) -> None:
    made = sweeps.make(tmp_path / "s", DRAWS[:1], sampler="random", scheduler="none")
    panels = figure.data(results.read_rows(results.load(made)))
    assert "the user chose all of its trials" in figure.caption(panels)
    assert sweep_page.write([made])


@pytest.mark.long
def test_random_search__figure(tmp_path: Path) -> None:
    made = sweeps.make(tmp_path / "s", DRAWS, sampler="random", scheduler="none")
    panels = figure.data(results.read_rows(results.load(made)))
    trials, images, seconds = panels
    (one,) = images.lines
    assert images.level == {"defaults": 20.0}
    assert one.x.tolist() == [1257 * k for k in range(1, 7)]
    assert one.y.tolist() == [20, 20, 20, 10, 10, 10]
    assert one.n_x.tolist() == [1257 * k for k in range(1, 6)]
    assert one.median.tolist() == [15, 12, 12, 10, 10]
    assert (trials.lines[0].n_x[-1], seconds.lines[0].n_x[-1]) == (5, 5)
    assert "the best of 5 random trials is 10 [open, " in figure.caption(panels)

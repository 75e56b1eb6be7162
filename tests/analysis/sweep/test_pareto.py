"""The front of a sweep by brute force and by hand, what constraints keep from winning, and the page of both."""

import json
import random
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from helpers import sweeps
from helpers.searching import TWO
from optuna.trial import TrialState

from analysis.figures import pareto as figure
from analysis.figures import render_png, sample_grids
from analysis.read import results
from analysis.report import sweep_page
from analysis.sweep import pareto, ranking, status
from gensweep.cli.main import main
from trainables.errors import UserError

pytestmark = pytest.mark.long

COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
PARAMS = {"lr": 1e-3, "batch_size": 128, "likelihood": "bernoulli"}
FIDS, PRECISIONS, MODES = [20.0, 12.5, 30.0, 16.0, 1.0], [0.7, 0.2, 0.9, 0.7, 0.99], [9.0, 8.0, 9.0, 5.0, 9.0]
STATES = [COMPLETE, COMPLETE, PRUNED, COMPLETE, FAIL]
TRIALS: list[sweeps.Planned] = [
    (STATES[k], PARAMS | {"lr": 1e-3 * (k + 1)}, [fid + 5, fid]) for k, fid in enumerate(FIDS)
]


def made(folder: Path, *constraints: str, objectives: object = TWO) -> Path:
    further = {"precision": PRECISIONS, "modes": MODES}
    return sweeps.make(folder, TRIALS, further=further, objectives=objectives, constraints=list(constraints))


def test_pareto__equals_brute_force() -> None:
    draw_from = random.Random(0)
    for m, n in product((1, 2, 3), (1, 2, 30)):
        points = [[draw_from.randint(0, 6) for _ in range(m)] for _ in range(n)]  # coarse: there are ties
        beaten = [any(q != p and all(q[i] <= p[i] for i in range(m)) for q in points) for p in points]
        assert pareto.non_dominated(np.array(points, float)).tolist() == [not one for one in beaten]


def test_pareto__long_front_shows_both_ends() -> None:
    assert pareto.spread_over_front(list(range(10)), 4) == [0, 3, 6, 9]
    assert pareto.spread_over_front([5, 7], 4) == [5, 7]
    assert pareto.spread_over_front([5, 7, 9], 1) == [5]


def test_pareto__stopped_trial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = results.load(made(tmp_path / "s"))
    assert ranking.winner_numbers(sweep) == [
        1,
        3,
        2,
    ]  # by FID; trial 0 is as precise as trial 3 and farther, trial 4 failed
    assert ranking.ranked_trials(sweep)["number"].tolist() == [1, 3, 2, 0]
    assert ranking.winner_numbers(sweep, 2) == [1, 2]
    entry = ranking.top_entries(sweep)[1]
    assert (entry["number"], entry["values"], entry["best_epoch"]) == (3, {"fid": 16.0, "precision": 0.7}, 2)
    assert ranking.format_table(sweep).splitlines()[:4] == [
        "trial    state   fid  precision  epoch  changed",
        "    1     done  12.5        0.2      2  lr=0.002",
        "    3     done    16        0.7      2  lr=0.004",
        "    2  stopped    30        0.9      2  lr=0.003",
    ]
    assert "The defaults (trial 0: FID 20, precision 0.7) are not on it." in ranking.headline(sweep)
    assert "trial 1, FID 12.5, precision 0.2 at epoch 2; 3 trials on the Pareto front" in status.format_status(sweep)
    assert main(["best", str(tmp_path / "s"), "--json"]) == 0
    assert [one["number"] for one in json.loads(capsys.readouterr().out)] == [1, 3, 2]


def test_pareto__constraint_broken_never_wins(tmp_path: Path) -> None:
    sweep = results.load(made(tmp_path / "two", "modes>=7", "precision>=0.5"))
    assert ranking.winner_numbers(sweep) == [0, 2]
    assert "2 of 4 trials break modes>=7 and precision>=0.5 and cannot win." in ranking.headline(sweep)
    one = results.load(made(tmp_path / "one", "modes>=8.5", objectives=TWO[:1]))
    assert [entry["number"] for entry in ranking.top_entries(one)] == [0, 2]
    assert "The defaults (trial 0) are the best so far: FID 20. 2 of 4 trials break modes>=8.5" in ranking.headline(one)
    without = results.load(made(tmp_path / "without", "modes<=8.5", objectives=TWO[:1]))
    assert ranking.headline(without).startswith(
        "The defaults (trial 0) break modes<=8.5 (9), so the winner cannot be compared with them."
    )


def test_pareto__no_trial_keeps_the_constraints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = made(tmp_path / "s", "modes>=9.5")
    with pytest.raises(
        UserError, match=r"none of the 4 scored trials .* the closest is trial 0, which breaks modes>=9.5 \(9\)"
    ):
        ranking.top_entries(results.load(sweep))
    assert "best so far: none meets modes>=9.5" in status.format_status(results.load(sweep))
    for command in ("best", "report"):
        assert main([command, str(sweep)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not (sweep / "report").exists()


def test_pareto__figure(tmp_path: Path) -> None:
    (info,) = figure.data(results.load(made(tmp_path / "s", "modes>=7")))
    assert (info.numbers, info.front, info.broken) == (
        [0, 1, 2, 3], [True, True, True, False], [False, False, False, True]
    )  # fmt: skip
    assert figure.staircase(info) == [(12.5, 0.2), (20.0, 0.7), (30.0, 0.9)]
    assert "Better is further left and up. Of 3 trials, 3 are on the Pareto front" in figure.caption([info])
    assert render_png("front", info).startswith(b"\x89PNG")
    assert figure.data(results.load(sweeps.make(tmp_path / "single"))) == []


def test_pareto__on_the_page(tmp_path: Path) -> None:
    sweep = made(tmp_path / "s", "modes>=4")
    html = Path(sweep_page.write([sweep])).read_text(encoding="utf-8")
    text = " ".join(re.sub(r"<[^>]*>", " ", html).split())
    assert "Best FID on the Pareto front: trial 1" in text
    assert "1 done 12.5 0.2 2 lr=0.002 3 done 16 0.7 2 lr=0.004 2 stopped 30 0.9 2 lr=0.003" in text
    assert "--objective fid:min,precision:max --constraint &#39;modes&gt;=4&#39; --trials 1" in text
    assert (sweep / "report" / "front_precision.png").exists()
    titles = [strip.title for strip in sample_grids.compare_configurations(results.load(sweep), 6)]
    assert [title.split(" ·")[0] for title in titles[1:]] == ["Trial 1", "Trial 3", "Trial 2"]
    assert "FID 12.5, precision 0.2" in titles[1]

"""The collapse alarm: its two signals by hand, and a generator that really collapses, from the engine to the study."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import sweeps
from optuna.trial import TrialState

from analysis.figures import failures
from analysis.read import results
from analysis.sweep import ranking
from search_spaces import SPACES
from search_spaces.override import default
from trainables import TRAINABLES, Data
from trainables.data import load
from trainables.engine.collapse import MATURE_PATH, collapse_kind, count_collapsed, is_warmed_up
from trainables.metrics import build_evaluator, load_extractor

pytestmark = pytest.mark.long

TEN = np.full(10, 0.1)
FAST: dict[str, Any] = {
    "lr_g": 0.05,
    "lr_d": 0.05,
    "beta1": 0.5,
    "beta2": 0.999,
    "batch_size": 8,
    "latent_dim": 8,
    "width": 32,
}
FAST |= {"net": "mlp", "scheme": "non_saturating", "d_steps": 1, "g_steps": 1, "ema": 0.0, "label_smoothing": 0.0}


@pytest.mark.parametrize(
    ("quality", "prior", "shown"),
    [
        ({"modes": 1.5}, TEN, "between"),  # 10 ** 0.2 = 1.585
        ({"modes": 1.6}, TEN, ""),
        ({"modes": 1.1}, np.array([0.5, 0.5]), "between"),  # 2 ** 0.2 = 1.149
        ({"modes": 1.0}, np.array([1.0, 0.0]), ""),  # one class is all there is
        ({"modes": float("nan")}, TEN, ""),
        ({"modes": 9.9, "duplicates": 0.95}, TEN, "within"),
        ({"modes": 9.9, "duplicates": 0.7}, TEN, ""),  # young, as the default GAN is after an epoch
        ({"recon_mse": 0.1}, TEN, ""),
    ],
)
def test_collapse__signals(quality: dict[str, Any], prior: np.ndarray[Any, Any], shown: str) -> None:
    assert collapse_kind(quality, prior) == shown


def test_collapse__young_generator() -> None:
    assert not is_warmed_up(499, 0.01)  # few steps
    assert not is_warmed_up(900, 1e-4)  # many, but short ones
    assert is_warmed_up(500, 2e-4)


def test_collapse__generator_still_learning() -> None:
    assert count_collapsed(2, {"fid": 90.0}, 100.0) == 1
    assert count_collapsed(2, {"fid": 99.0}, 100.0) == 3
    assert count_collapsed(0, {"fid": 90.0}, float("inf")) == 1
    assert count_collapsed(2, {}, 100.0) == 3
    assert count_collapsed(2, {"fid": 99.0}, 100.0, mature=False) == 1


def test_collapse__age_of_a_default_gan() -> None:
    assert not is_warmed_up(5155, 2e-4, MATURE_PATH)  # when the last of eight seeds had left its single class behind
    assert is_warmed_up(9 * 859, 2e-4, MATURE_PATH)
    assert is_warmed_up(500, 1e-2, MATURE_PATH)


@pytest.mark.parametrize("alarm", [True, False])
def test_collapse__real_collapse(alarm: bool) -> None:
    data = load("digits")
    evaluator = build_evaluator(data, seed=0, n_samples=200, alarm=alarm)
    config = {**default(SPACES["gan"])[0], **FAST, "epochs": 7}
    images = Data(data.to("cpu"), evaluator, load_extractor(evaluator, "cpu"), "cpu")
    rows = [epoch.row for epoch in TRAINABLES["gan"](config, images, 0)]
    counted = [row["narrow"] for row in rows]
    if alarm:
        assert [row["status"] for row in rows[-2:]] == ["ok", "collapsed"]
        assert counted[-3:] == [1, 2, 3]
    else:
        assert len(rows) == 7
        assert {row["status"] for row in rows} == {"ok"}
        assert counted[-1] > 3


def test_collapse__collapsed_epoch_never_wins(tmp_path: Path) -> None:
    """The best score of the sweep was drawn by a narrow generator: the analysis passes it over."""
    made = sweeps.make(tmp_path / "s")
    path = made / "trials" / "0001" / "rows.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row | {"narrow": int(row["epoch"] == 4)}) + "\n" for row in rows))
    assert results.read_trial(results.load(made), 1).best == {**rows[4], "narrow": 0}
    assert ranking.top_entries(results.load(made), 1)[0]["value"] == 14.0


def test_collapse__failures_figure(tmp_path: Path) -> None:
    rates = [1e-4, 2e-4, 4e-4, 4e-3, 8e-3]
    lost = [False, False, False, True, True]
    trials = [
        (
            TrialState.FAIL if fails else TrialState.COMPLETE,
            {"lr": lr, "batch_size": 32 + i, "likelihood": "bernoulli"},
            [9.0, 8.0],
        )
        for i, (lr, fails) in enumerate(zip(rates, lost, strict=True))
    ]
    (info,) = failures.data(results.load(sweeps.make(tmp_path / "s", trials)))
    assert info.cut[0::2] == ("lr", "lr above 0.001265", (0, 3))
    assert info.cut.inside == (2, 2)
    assert info.cut.gain == pytest.approx(0.971, abs=1e-3)  # bits: the entropy of 2 in 5
    assert info.reasons == ["", "", "", "nan", "nan"]
    assert failures.caption([info]) == (
        "2 of 5 trials failed (2 nan). The clearest cut: with lr above 0.001265, 2 of 2 failed; of the other 3, 0."
    )

"""Figures by the numbers that they draw."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import sweeps

from analysis.figures import (
    FIGURES,
    best_vs_budget,
    class_shares,
    curves,
    discriminator,
    finalist_scores,
    history,
    latent,
    nearest_pairs,
    parallel,
    pareto,
    render_png,
    slices,
)
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep.importance import Importance
from trainables.data import load
from trainables.objective import Objective

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def sweep(made: Path) -> Sweep:
    return results.load(made)


def test_curves__by_hand(sweep: Sweep) -> None:
    (info,) = curves.data(sweep)
    assert (info.winner, info.best_epoch, info.budget) == (1, 4, 5)
    assert info.curves[2] == curves.Curve(2, "pruned", [1, 2], [90.0, 20.0])
    assert "best epoch, 4 of the 5" in curves.caption([info])


def test_history__by_hand(sweep: Sweep) -> None:
    (info,) = history.data(sweep)
    assert (info.numbers, info.values) == ([0, 1, 2], [20.0, 12.5, 20.0])
    assert (info.best, info.stopped, info.failed) == ([20.0, 12.5, 12.5], [False, False, True], [3])


def test_slices__by_hand(sweep: Sweep) -> None:
    lr, batch_size, likelihood = slices.data(sweep)
    assert (lr.x, lr.y, lr.low, lr.high, lr.log) == ([3e-3, 1e-3, 1e-4], [12.5, 20.0, 20.0], 1e-4, 1e-2, True)
    assert (lr.failed, lr.winner, lr.default, lr.stopped) == ([1e-2], 0, 1, [False, False, True])
    assert (batch_size.low, batch_size.high, batch_size.log) == (32, 256, False)
    assert (likelihood.choices, likelihood.x) == (["bernoulli", "gaussian"], [0.0, 0.0, 1.0])
    assert "orange square: the defaults" in slices.caption([lr, batch_size, likelihood])


def test_class_shares__by_hand(sweep: Sweep) -> None:
    (info,) = class_shares.data(sweep)
    assert info.shares[:3] == [0.19, 0.01, 0.1]
    labels = np.asarray(load("digits").train.labels)
    assert info.prior == pytest.approx([(labels == k).mean() for k in range(10)])
    assert "Rarest: '1' (1.0%), most frequent '0' (19.0%)" in class_shares.caption([info])


def test_parallel__positions(tmp_path: Path) -> None:
    many = [
        (sweeps.TRIALS[0][0], {"lr": lr, "batch_size": 144, "likelihood": kind}, [value])
        for lr, kind, value in [(1e-3, "bernoulli", 5.0), (1e-4, "gaussian", 1.0), (1e-2, "gaussian", 9.0)] * 2
    ]
    (info,) = parallel.data(results.load(sweeps.make(tmp_path / "s", many)))
    assert info.keys == ["lr", "batch_size", "likelihood"]
    assert info.places[0].tolist() == [0.0, 0.5, 1.0]  # the best first, on logarithmic, linear and named rows
    assert info.places[-1].tolist() == pytest.approx([1.0, 0.5, 1.0])
    assert info.coloured == 3
    assert info.ends[0] == [(0.0, "0.0001"), (1.0, "0.01 (log)")]


def test_latent__validation_images(sweep: Sweep) -> None:
    (info,) = latent.data(sweep)
    assert info.z.shape == (180, 2)
    assert info.labels.tolist() == np.asarray(load("digits").val.labels).tolist()


def test_discriminator__only_with_two_nets(sweep: Sweep) -> None:
    assert discriminator.data(sweep) == []
    assert "can hardly tell" in discriminator.caption([discriminator.Balance([1], [0.52], [0.48])])
    assert "the gap is 6." in discriminator.caption([discriminator.Balance([1], [4.0], [-2.0], probability=False)])


LINE = [1e3, 2e3, 3e3], [30.0, 30.0, 9.0], [1e3, 2e3], [12.0, np.inf], [-np.inf, 9.0], [np.inf, 14.0]


ENDS = [[(0.0, "1e-4"), (1.0, "0.01 (log)")], [(0.0, "mlp"), (1.0, "conv")]]


# Panels of figures for which the small sweep has nothing to draw. A new figure needs an entry only in that case.
EXAMPLES: dict[str, list[Any]] = {
    "balance": [discriminator.Balance([1, 2], [0.9, 0.6], [0.2, 0.4])],
    "budget": [
        best_vs_budget.Budget(
            "images",
            "fid",
            [best_vs_budget.Line("this search", *(np.array(part) for part in LINE))],
            {"defaults": 20.0},
            "",
            "",
        )
    ],
    "importance": [[Importance("lr", 0.8, 0.6, 0.9), Importance("beta", 0.2, 0.1, 0.4)]],
    "parallel": [
        parallel.Parallel("fid", ["lr", "net"], np.array([[0.1, 1.0], [0.5, np.nan], [1.0, 0.0]]), 2, ENDS),
    ],
    "front": [
        pareto.Front(Objective("fid", "min"), Objective("modes", "max"), [1], [2.0], [9.0], [True], [False]),
    ],
    "pairs": [nearest_pairs.Pairs(np.zeros((24, 1, 8, 8), np.uint8), 5000, 0.01)],
    "proof": [
        finalist_scores.FinalistScores(
            "FID", ["trial 1"], [np.array([12.0, np.nan])], [12.0], [(np.nan, np.nan)], [11.0]
        )
    ],
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures__contract(sweep: Sweep, name: str) -> None:
    panels = FIGURES[name].data(sweep) or EXAMPLES.get(name, [])
    assert FIGURES[name].caption(panels).endswith(".")
    for panel in panels:
        assert render_png(name, panel).startswith(b"\x89PNG")


def test_class_shares__more_classes_than_labels_fit() -> None:
    shares = [0.002] * 500 + [0.0] * 500
    assert render_png("classes", class_shares.ClassShares([str(k) for k in range(1000)], shares, [0.001] * 1000, 500.0))

"""Figures by the numbers they draw, grids by their pixels, the page by what it says and what it must not do."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import sweeps
from sklearn.datasets import load_digits

from analysis.base import image_sheets
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
    sample_grids,
    slices,
)
from analysis.read import results
from analysis.read.results import Sweep
from analysis.report import sweep_page
from analysis.sweep.importance import Importance
from trainables.data import load
from trainables.errors import UserError
from trainables.objective import Objective


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweeps.make(tmp_path_factory.mktemp("results") / "tiny")


@pytest.fixture(scope="module")
def sweep(made: Path) -> Sweep:
    return results.load(made)


def test_curves(sweep: Sweep) -> None:
    (info,) = curves.data(sweep)
    assert (info.winner, info.best_epoch, info.budget) == (1, 4, 5)
    assert info.curves[2] == curves.Curve(2, "pruned", [1, 2], [90.0, 20.0])
    assert "best epoch, 4 of the 5" in curves.caption([info])


def test_history(sweep: Sweep) -> None:
    (info,) = history.data(sweep)
    assert (info.numbers, info.values) == ([0, 1, 2], [20.0, 12.5, 20.0])
    assert (info.best, info.stopped, info.failed) == ([20.0, 12.5, 12.5], [False, False, True], [3])


def test_slices(sweep: Sweep) -> None:
    lr, batch_size, likelihood = slices.data(sweep)
    assert (lr.x, lr.y, lr.low, lr.high, lr.log) == ([3e-3, 1e-3, 1e-4], [12.5, 20.0, 20.0], 1e-4, 1e-2, True)
    assert (lr.failed, lr.winner, lr.default, lr.stopped) == ([1e-2], 0, 1, [False, False, True])
    assert (batch_size.low, batch_size.high, batch_size.log) == (32, 256, False)
    assert (likelihood.choices, likelihood.x) == (["bernoulli", "gaussian"], [0.0, 0.0, 1.0])
    assert "orange square: the defaults" in slices.caption([lr, batch_size, likelihood])


def test_classes(sweep: Sweep) -> None:
    (info,) = class_shares.data(sweep)
    assert info.shares[:3] == [0.19, 0.01, 0.1]
    labels = np.asarray(load("digits").train.labels)
    assert info.prior == pytest.approx([(labels == k).mean() for k in range(10)])
    assert "rarest '1' (1.0%), most frequent '0' (19.0%)" in class_shares.caption([info])


def test_parallel_places(tmp_path: Path) -> None:
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


def test_latent(sweep: Sweep) -> None:
    (info,) = latent.data(sweep)
    assert info.z.shape == (180, 2)
    assert info.labels.tolist() == np.asarray(load("digits").val.labels).tolist()


def test_balance_is_for_two_nets_only(sweep: Sweep) -> None:
    assert discriminator.data(sweep) == []
    assert "can hardly tell" in discriminator.caption([discriminator.Balance([1], [0.52], [0.48])])
    assert "the gap is 6." in discriminator.caption([discriminator.Balance([1], [4.0], [-2.0], probability=False)])


LINE = [1e3, 2e3, 3e3], [30.0, 30.0, 9.0], [1e3, 2e3], [12.0, np.inf], [-np.inf, 9.0], [np.inf, 14.0]
ENDS = [[(0.0, "1e-4"), (1.0, "0.01 (log)")], [(0.0, "mlp"), (1.0, "conv")]]
ELSE: dict[str, list[Any]] = {  # what the small sweep has not
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
def test_every_figure_draws_and_says_what_to_look_at(sweep: Sweep, name: str) -> None:
    panels = FIGURES[name].data(sweep) or ELSE[name]
    assert FIGURES[name].caption(panels).endswith(".")
    for panel in panels:
        assert render_png(name, panel).startswith(b"\x89PNG")


def test_more_classes_than_names_fit() -> None:
    shares = [0.002] * 500 + [0.0] * 500
    assert render_png("classes", class_shares.ClassShares([str(k) for k in range(1000)], shares, [0.001] * 1000, 500.0))


def digits(first: int) -> Any:
    return (load_digits().images[first : first + 10] * (255 / 16)).astype(np.uint8)[:, None]


def test_comparison_has_real_images_and_then_the_best(sweep: Sweep) -> None:
    strips = sample_grids.compare_configurations(sweep, 2)
    assert [strip.title.split(" ·")[0] for strip in strips] == ["Real images", "Trial 1", "Trial 0"]
    assert (strips[0].images == np.asarray(load("digits").val.pixels)[:10]).all()
    assert (strips[1].images == digits(1 * 64 + 4)).all()  # as sweeps.py wrote for trial 1, epoch 4
    assert strips[1].detail == "lr 0.003, batch_size 64, likelihood bernoulli"


def test_first_best_and_last_epoch(sweep: Sweep) -> None:
    assert [strip.title for strip in sample_grids.first_to_last(sweep, 1)] == [
        "Epoch 1, the first · FID 50", "Epoch 4, the best · FID 12.5", "Epoch 5, the last · FID 14",
    ]  # fmt: skip
    assert [strip.title for strip in sample_grids.first_to_last(sweep, 2)][-1] == "Epoch 2, the best and last · FID 20"


def test_an_autoencoder_shows_inputs_and_outputs(made: Path, tmp_path: Path) -> None:
    strips = sample_grids.compare_configurations(results.load(sweeps.make(tmp_path / "ae", model="ae")), 1)
    whole = np.concatenate([digits(68), digits(78)])
    assert [strip.title.split(" ·")[0] for strip in strips] == ["Real images", "Input", "Trial 1"]
    assert (strips[1].images == whole[0::2]).all()
    assert (strips[2].images == whole[1::2]).all()


def test_a_lost_picture_is_drawn_again_from_the_weights(made: Path, tmp_path: Path) -> None:
    own = results.load(shutil.copytree(made, tmp_path / "own"))
    (tmp_path / "own" / "trials" / "0001" / "samples" / "epoch_0004.png").unlink()
    drawn = sample_grids.saved_batch(own, 1, 4)
    assert drawn.shape == (80, 1, 8, 8)
    assert (drawn == sample_grids.saved_batch(own, 1, 4)).all()


def test_sheets_go_there_and_back() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 4, 5), dtype=np.uint8)
    assert (
        image_sheets.split_sheet(image_sheets.encode_png(image_sheets.make_sheet(images, 3)), (3, 4, 5)) == images
    ).all()
    assert image_sheets.make_sheet(images, 3, 2).shape == (4 + 2 + 4, 5 + 2 + 5 + 2 + 5, 3)
    assert (image_sheets.make_sheet(images[:5], 3)[4:, 10:] == 255).all()


def bare(html: str) -> str:
    """The text of a page."""
    return " ".join(re.sub(r"<[^>]*>", "", html).split())


def test_the_page(made: Path) -> None:
    page = Path(sweep_page.write([made]))
    html = page.read_text(encoding="utf-8")
    assert page == made / "report" / "index.html"
    assert page.stat().st_size < 5e6
    assert not re.search(r"https?://|<script|<link|@import|url\(", html)
    assert set(re.findall(r'src="([^:"]*):', html)) == {"data"}
    assert "--trials 1 --seed 0 --name tiny-trial-1 --set epochs=5 --set lr=0.003 --set batch_size=64" in bare(html)
    assert "nan: loss is nan at epoch 3" in html
    assert {path.name for path in page.parent.glob("*.png")} >= {"winner.png", "grid.png", "curves.png", "classes.png"}
    assert (
        bare(html).index("the luckiest is shown")
        < bare(html).index("gensweep finalize")
        < bare(html).index("The winner")
    )
    assert html.index("The winner: trial 1") < html.index("Side by side") < html.index("Why it won")


def test_the_page_trusts_no_word(made: Path, tmp_path: Path) -> None:
    own = sweeps.make(tmp_path / "own", command=["gensweep", "<script>alert(1)</script>"])
    assert "<script" not in Path(sweep_page.write([own])).read_text(encoding="utf-8")


def test_several_sweeps_on_one_page(made: Path, tmp_path: Path) -> None:
    other = sweeps.make(tmp_path / "other", stamp={"extractor": "another"})
    assert sweep_page.comparison_context([results.load(made), results.load(made)])["alike"]
    html = Path(sweep_page.write([made, other], tmp_path / "both")).read_text(encoding="utf-8")
    assert "compare scores only within a sweep" in html
    assert (tmp_path / "both" / "other_grid.png").exists()


def test_nothing_is_written_for_a_sweep_that_failed(made: Path, tmp_path: Path) -> None:
    bad = sweeps.make(tmp_path / "bad", [sweeps.TRIALS[3]])
    with pytest.raises(UserError, match=r"all 1 trials .* failed \(1 nan\)"):
        sweep_page.write([made, bad], tmp_path / "out")
    assert not (tmp_path / "out").exists()

"""The data halves of the pictures of a study, by the numbers that they draw."""

from typing import Any

import numpy as np
import pytest
from helpers.manifests import SMALL, small_manifest

from analysis.read.results import Trial
from analysis.study.figures import class_shares, confusion, curves_with_band
from analysis.study.figures.registry import render_figure
from analysis.study.study_results import Arm

CLASSES = ["cat", "dog"]


def row(epoch: int, **more: Any) -> dict[str, Any]:
    return {"epoch": epoch, "epochs": 4, "eval_epoch": epoch, "status": "ok", **more}


def arm(*trials: list[dict[str, Any]], at: int = 0) -> Arm:
    data = SMALL.data._replace(classes=CLASSES)
    manifest = small_manifest(data=data, dataset="folder:nowhere")
    sweep: Any = type("S", (), {"manifest": manifest, "metric": "fid"})()
    return Arm("mine", "", sweep, [Trial(i, i, {}, rows, None) for i, rows in enumerate(trials)], at, 0)


def test_curves_with_band__failed_seeds_left_out() -> None:
    first = [row(1, fid=9.0), row(2, fid=7.0) | {"eval_epoch": 1}, row(4, fid=1.0)]
    second = [row(1, fid=5.0), row(4, fid=3.0)]
    third = [row(1, fid=1.0), row(2, fid=None) | {"status": "nan"}]
    (one,) = curves_with_band.data([arm(first, second, third)], "fid").bands
    assert one.epochs == [1, 4]
    assert (one.mean, one.low, one.high) == ([5.0, 2.0], [1.0, 1.0], [9.0, 3.0])
    (early,) = curves_with_band.data([arm(first, second, at=1)], "fid").bands
    assert early.epochs == [1]


def test_class_shares__names_and_intervals() -> None:
    drawn = [0.1, 0.2, 0.3, 0.2, 0.2]
    trials = [[row(4, class_shares=[share, 1 - share])] for share in drawn]
    (one,) = class_shares.data([arm(*trials), arm([row(4, fid=1.0)])], "")  # the second does not sample
    assert one.classes == CLASSES
    assert one.mean == pytest.approx([0.2, 0.8])
    assert 0.1 <= one.low[0] < 0.2 < one.high[0]
    assert one.low[0] + one.high[1] == pytest.approx(1.0)
    (few,) = class_shares.data([arm(*trials[:2])], "")
    assert (few.low[0], few.high[0]) == (0.1, 0.2)
    assert "rarest 'cat' (20.0%)" in class_shares.caption([one])


def test_confusion__mean_of_rows() -> None:
    trials = [[row(4, confusion=[[1.0, 0.0], [0.5, 0.5]])], [row(4, confusion=[[0.5, 0.5], [0.5, 0.5]])]]
    (one,) = confusion.data([arm(*trials)], "")
    assert np.array_equal(one.shares, [[0.75, 0.25], [0.5, 0.5]])
    assert "62.5%, least for 'dog' (50.0%)" in confusion.caption([one])


def test_study_figures__inapplicable_figure_left_out() -> None:
    assert render_figure("confusion", [arm([row(4, fid=1.0)])]) is None
    drawn = render_figure("bands:fid", [arm([row(1, fid=2.0), row(4, fid=1.0)])])
    assert drawn is not None
    assert drawn.title == "FID against the epoch"
    assert drawn.png.startswith(b"\x89PNG")

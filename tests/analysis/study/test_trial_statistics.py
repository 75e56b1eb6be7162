"""Statistics of a trial that follow from its rows and codes."""

from typing import Any

import numpy as np
import pytest
from helpers.manifests import SMALL, small_manifest

from analysis.nets.codes import Codes
from analysis.study import trial_statistics


def test_trial_statistics__centroids_by_hand() -> None:
    # classes of two points each, every point 1 from its centre: distances are in within-class spreads
    z = np.array([[0, 1], [0, -1], [6, 1], [6, -1], [10, 1], [10, -1]], np.float32)
    found = Codes(z, np.array([0, 0, 1, 1, 2, 2]), ["a", "b", "c"])
    assert trial_statistics.FROM_CODES["centroids"]("a-b", found) == pytest.approx(6.0)
    assert trial_statistics.FROM_CODES["centroid_gap"]("a-b/b-c", found) == pytest.approx(2.0)


def test_trial_statistics__from_rows() -> None:
    rows = [
        {"epoch": 1, "grad_norm_d": 2.0, "grad_norm_g": 9.0, "class_shares": [1.0, 0.0, 0.0], "fid": 5.0},
        {"epoch": 2, "grad_norm_d": 6.0, "grad_norm_g": 1.0, "class_shares": [0.2, 0.5, 0.3], "fid": None},
    ]
    sweep: Any = type("S", (), {"manifest": small_manifest(data=SMALL.data._replace(classes=["a", "b", "c"]))})
    trial: Any = type("T", (), {"rows": rows, "number": 0})

    def value(statistic: str, row: dict[str, Any] | None) -> float:
        return trial_statistics.statistic_value(statistic, sweep, trial, row)

    assert value("share:a+c", rows[1]) == pytest.approx(0.5)
    assert (value("grad_peak", rows[1]), value("grad_growth", rows[1])) == (9.0, 3.0)
    assert value("grad_growth", rows[0]) == 1.0
    assert value("fid", rows[0]) == 5.0
    assert np.isnan([value("fid", rows[1]), value("fid", None), value("unheard_of", rows[0])]).all()

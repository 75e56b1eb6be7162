"""Statistics of a trained trial that are no key of its rows but follow from them, or from its nets.

`share:Sandal+Sneaker` is the share of these classes among the samples; `grad_peak` the largest gradient norm of any
epoch and net; `grad_growth` the last epoch's discriminator norm over the first's; `centroids:0-1` the distance of two
classes' mean codes over the spread within classes, so that codes of different scale compare; `centroid_gap:0-1/1-9` how
much larger the first such distance is than the second; `curve_ratio` how far denoised points lie from y = x^2, as a
share of how far the corrupted ones do; `sampled_fid` the FID of draws from an autoencoder; `test_fid` the FID on the
test split. Anything else is a key of the rows. What needs nets takes those of the trial's best evaluated epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from analysis.base import formatting
from analysis.nets import autoencoder_samples, reconstruct, test_scores
from analysis.nets.codes import Codes, encode_held_out
from analysis.read.results import Sweep, Trial

Row = dict[str, Any]
GRADIENTS = ("grad_norm", "grad_norm_d", "grad_norm_g")


def statistic_value(statistic: str, sweep: Sweep, trial: Trial, row: Row | None) -> float:
    """One statistic of one trial at one row; nan where there is no row or no such value in it."""
    name, _, of = statistic.partition(":")
    if row is None:
        return float("nan")
    if name in FROM_ROWS:
        return FROM_ROWS[name](of, sweep, [one for one in trial.rows if one["epoch"] <= row["epoch"]])
    if name in FROM_CODES:
        return FROM_CODES[name](of, encode_held_out(sweep, trial.number))
    if name in FROM_NETS:
        return FROM_NETS[name](sweep, trial.number)
    found = row.get(statistic)
    return float("nan") if found is None else float(found)


def _share(of: str, sweep: Sweep, rows: list[Row]) -> float:
    names = list(sweep.manifest.data.classes)
    return float(sum(rows[-1]["class_shares"][names.index(one)] for one in of.split("+")))


def _grad_peak(of: str, sweep: Sweep, rows: list[Row]) -> float:
    return float(max(row[key] for row in rows for key in GRADIENTS if row.get(key) is not None))


def _grad_growth(of: str, sweep: Sweep, rows: list[Row]) -> float:
    return float(rows[-1]["grad_norm_d"] / rows[0]["grad_norm_d"])


def _centroids(of: str, found: Codes) -> float:
    a, b = (found.z[found.labels == found.classes.index(name)] for name in of.split("-"))
    groups = [found.z[found.labels == k] for k in range(len(found.classes))]
    within = np.sqrt(np.mean([np.square(group - group.mean(0)).sum(1).mean() for group in groups]))
    return float(np.linalg.norm(a.mean(0) - b.mean(0)) / within)


def _centroid_gap(of: str, found: Codes) -> float:
    far, near = of.split("/")
    return _centroids(far, found) - _centroids(near, found)


def _curve_ratio(sweep: Sweep, number: int) -> float:
    if sweep.manifest.dataset != "parabola":
        return float("nan")
    found = reconstruct.denoise_parabola(sweep, number)
    return found.after / found.before


FROM_ROWS: dict[str, Callable[[str, Sweep, list[Row]], float]] = {
    "share": _share,
    "grad_peak": _grad_peak,
    "grad_growth": _grad_growth,
}
FROM_CODES: dict[str, Callable[[str, Codes], float]] = {"centroids": _centroids, "centroid_gap": _centroid_gap}
FROM_NETS: dict[str, Callable[[Sweep, int], float]] = {
    "curve_ratio": _curve_ratio,
    "sampled_fid": autoencoder_samples.samples_fid,
    "test_fid": test_scores.fid_on_test,
}
LABELS = {
    "share": "share of {}",
    "grad_peak": "largest gradient norm",
    "grad_growth": "growth of D's gradient norm",
    "centroids": "distance of the mean codes {}",
    "centroid_gap": "excess of the first distance over the second, {}",
    "curve_ratio": "distance to the curve left over",
    "sampled_fid": "FID of draws",
    "test_fid": "FID on test",
}


def statistic_label(statistic: str) -> str:
    """A statistic in words."""
    name, _, of = statistic.partition(":")
    return LABELS[name].format(of.replace("+", ", ")) if name in LABELS else formatting.metric_label(statistic)

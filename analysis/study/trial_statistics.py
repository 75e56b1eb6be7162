"""Compute statistics of a trained trial that its rows do not hold, from the rows or from the nets.

- `share:Sandal+Sneaker`: the share of these classes among the samples.
- `grad_peak`: the largest gradient norm of any epoch and net; `grad_peak:g`: of the generator alone.
- `grad_fall:g`: the generator's gradient norm in the last epoch, divided by that in the first.
- `loss_gap`: the generator's loss minus half of the discriminator's, which is a sum over real and generated images.
- `grad_growth`: the discriminator's gradient norm in the last epoch, divided by that in the first.
- `centroids:0-1`: the distance of two classes' mean codes, divided by the spread within classes. So codes of different
  scale can be compared.
- `centroid_gap:0-1/1-9`: the first such distance minus the second.
- `curve_ratio`: the distance of denoised points from y = x^2, divided by that of the corrupted ones.
- `sampled_fid`: the FID of draws from an autoencoder; `normal_fid`: of draws with codes from N(0, I).
- `test_fid`: the FID on the test split.

Any other name is a key of the rows. Statistics that need nets use those of the trial's best evaluated epoch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from analysis.base import formatting
from analysis.nets import autoencoder_samples, reconstruct, test_scores
from analysis.nets.codes import Codes, encode_held_out
from analysis.read.results import Sweep, Trial, trial_folder
from trainables.errors import UserError

Row = dict[str, Any]
STATISTICS_FILE = "statistics.json"  # in a trial's folder
GRADIENTS = ("grad_norm", "grad_norm_d", "grad_norm_g")


def statistic_value(statistic: str, sweep: Sweep, trial: Trial, row: Row | None) -> float:
    """Return one statistic of one trial at one row; nan if the row is None or has no such value."""
    name, _, argument = statistic.partition(":")
    if row is None:
        return float("nan")
    if name in FROM_ROWS:
        return FROM_ROWS[name](argument, sweep, [earlier for earlier in trial.rows if earlier["epoch"] <= row["epoch"]])
    if _needs_nets(statistic):
        saved = _saved_statistics(sweep, trial.number)
        return saved[statistic] if statistic in saved else _from_nets(statistic, sweep, trial.number)
    value = row.get(statistic)
    return float("nan") if value is None else float(value)


def _needs_nets(statistic: str) -> bool:
    return statistic.partition(":")[0] in (*FROM_CODES, *FROM_NETS)


def _from_nets(statistic: str, sweep: Sweep, number: int) -> float:
    name, _, argument = statistic.partition(":")
    if name in FROM_CODES:
        return FROM_CODES[name](argument, encode_held_out(sweep, number))
    return FROM_NETS[name](sweep, number)


def _saved_statistics(sweep: Sweep, number: int) -> dict[str, float]:
    file = f"{trial_folder(number)}/{STATISTICS_FILE}"
    saved: dict[str, float] = json.loads(sweep.place.read(file)) if sweep.place.has(file) else {}
    return saved


def save_statistics(sweep: Sweep, number: int, statistics: Collection[str]) -> None:
    """Write those of the statistics that need a trial's nets to its folder, so that they outlive its weights."""
    saved = _saved_statistics(sweep, number)
    missing = [statistic for statistic in statistics if _needs_nets(statistic) and statistic not in saved]
    if not missing:
        return
    try:
        saved |= {statistic: _from_nets(statistic, sweep, number) for statistic in missing}
    except UserError:  # its weights or the images are not available
        return
    sweep.place.write(f"{trial_folder(number)}/{STATISTICS_FILE}", json.dumps(saved).encode())


def _share(argument: str, sweep: Sweep, rows: list[Row]) -> float:
    names = list(sweep.manifest.data.classes)
    return float(sum(rows[-1]["class_shares"][names.index(name)] for name in argument.split("+")))


def _grad_peak(argument: str, sweep: Sweep, rows: list[Row]) -> float:
    keys = (f"grad_norm_{argument}",) if argument else GRADIENTS
    return float(max(row[key] for row in rows for key in keys if row.get(key) is not None))


def _grad_fall(argument: str, sweep: Sweep, rows: list[Row]) -> float:
    return float(rows[-1][f"grad_norm_{argument}"] / rows[0][f"grad_norm_{argument}"])


def _loss_gap(argument: str, sweep: Sweep, rows: list[Row]) -> float:
    return float(rows[-1]["loss_g"] - rows[-1]["loss_d"] / 2)


def _grad_growth(argument: str, sweep: Sweep, rows: list[Row]) -> float:
    return float(rows[-1]["grad_norm_d"] / rows[0]["grad_norm_d"])


def _centroids(argument: str, codes: Codes) -> float:
    a, b = (codes.z[codes.labels == codes.classes.index(name)] for name in argument.split("-"))
    groups = [codes.z[codes.labels == k] for k in range(len(codes.classes))]
    within = np.sqrt(np.mean([np.square(group - group.mean(0)).sum(1).mean() for group in groups]))
    return float(np.linalg.norm(a.mean(0) - b.mean(0)) / within)


def _centroid_gap(argument: str, codes: Codes) -> float:
    far, near = argument.split("/")
    return _centroids(far, codes) - _centroids(near, codes)


def _curve_ratio(sweep: Sweep, number: int) -> float:
    if sweep.manifest.dataset != "parabola":
        return float("nan")
    distances = reconstruct.denoise_parabola(sweep, number)
    return distances.after / distances.before


FROM_ROWS: dict[str, Callable[[str, Sweep, list[Row]], float]] = {
    "share": _share,
    "grad_peak": _grad_peak,
    "grad_growth": _grad_growth,
    "grad_fall": _grad_fall,
    "loss_gap": _loss_gap,
}
FROM_CODES: dict[str, Callable[[str, Codes], float]] = {"centroids": _centroids, "centroid_gap": _centroid_gap}
FROM_NETS: dict[str, Callable[[Sweep, int], float]] = {
    "curve_ratio": _curve_ratio,
    "sampled_fid": autoencoder_samples.samples_fid,
    "normal_fid": autoencoder_samples.normal_fid,
    "test_fid": test_scores.fid_on_test,
}
LABELS = {
    "share": "share of {}",
    "grad_peak": "largest gradient norm",
    "grad_growth": "growth of D's gradient norm",
    "grad_fall": "last over first gradient norm of {}",
    "loss_gap": "loss of G minus half of D's",
    "centroids": "distance of the mean codes {}",
    "centroid_gap": "excess of the first distance over the second, {}",
    "curve_ratio": "distance to the curve left over",
    "sampled_fid": "FID of draws",
    "normal_fid": "FID of draws from N(0, I)",
    "test_fid": "FID on test",
}


def statistic_label(statistic: str) -> str:
    """Return the name of a statistic in words."""
    name, _, argument = statistic.partition(":")
    return LABELS[name].format(argument.replace("+", ", ")) if name in LABELS else formatting.metric_label(statistic)

"""The collapse alarm: whether a generator draws almost one thing only, and whether it has had its time to get out.

Two signals, read off the metrics of one evaluation. *Between classes*: the entropy of the samples' classes is below
`BETWEEN` of the training images' own (for ten even classes: fewer than 1.6 effective modes, exp of the entropy; the
count of Srivastava et al. 2017, arXiv:1705.07761, would be full long before). *Within classes*: nearly all samples have
a near copy among them (the birthday test of Arora & Zhang 2017, arXiv:1706.08224). Recall is no signal: of the default
GAN on MNIST it is 0 for its first three epochs, while half of the samples are near copies, and then it recovers.

Young generators start narrow and widen: on digits, nets that end at 9 effective modes had 1 after 200 steps. So a
signal counts from the time when the generator is grown up. From then on it keeps its epoch from being chosen as the
best one. Later still, when it is old, the trial is given up after `PATIENCE` evaluations in a row in which the FID came
to no new low: one of eight default GANs on MNIST drew a single class for its first 4,300 steps of 2e-4, with a
discriminator that was always right, and had 6 effective modes at 5,200 (benchmarks/alarm.py). One image a class is left
behind more often (on digits, after four such evaluations), and such a generator is given longer.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

BETWEEN = 0.2  # share of the training images' class entropy
WITHIN = 0.9  # share of samples that are copies of another
PATIENCE = {"between": 3, "within": 6}  # evaluations in a row
WARM_UP_STEPS = 500  # steps before which any generator is young
WARM_UP_PATH = 0.1  # steps x rate: Adam moves a weight by about its rate a step, so a slow net stays young for longer
MATURE_PATH = 1.5  # from which on a trial may be given up
LOWER = 0.98  # an FID below this share of the lowest so far is a new low: the trial still learns


def collapse_kind(quality: Mapping[str, Any], class_prior: NDArray[np.float64]) -> str:
    """The collapse that the metrics of one evaluation show: "between", "within" or ""; one that is missing or nan
    shows none."""
    shares = class_prior[class_prior > 0]
    entropy = float(-(shares * np.log(shares)).sum())
    if entropy > 0 and math.log(max(1.0, _of(quality, "modes", math.inf))) < BETWEEN * entropy:
        return "between"
    return "within" if _of(quality, "duplicates", 0.0) > WITHIN else ""


def is_warmed_up(steps: int, rate: float, path: float = WARM_UP_PATH) -> bool:
    """Whether a generator has had its time, after so many updates at this learning rate; with OLD_PATH, all of it."""
    return steps >= WARM_UP_STEPS and steps * rate >= path


def count_collapsed(before: int, quality: Mapping[str, Any], lowest_fid: float, old: bool = True) -> int:
    """How many evaluations in a row an old generator has been narrow without a new low of the FID, after `before`
    earlier ones and with the metrics `quality` of one more that is narrow; 1 for one that is grown but not old."""
    is_low = _of(quality, "fid", math.inf) < LOWER * lowest_fid
    return before + 1 if old and not is_low else 1


def is_hopeless(quality: Mapping[str, Any], class_prior: NDArray[np.float64]) -> bool:
    """Whether the metrics of an evaluation, with its count ``narrow``, are those of a trial to stop."""
    count = quality.get("narrow", 0)
    return bool(count and count >= PATIENCE[collapse_kind(quality, class_prior)])


def _of(quality: Mapping[str, Any], key: str, missing: float) -> float:
    value = quality.get(key, missing)
    return missing if math.isnan(value) else float(value)

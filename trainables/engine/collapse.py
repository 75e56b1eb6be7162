"""Detect a generator that draws almost the same image every time, and decide when to stop its trial.

The metrics of one evaluation give two signals:

- between classes: the entropy of the samples' classes is below `BETWEEN` of that of the training images. For ten
  classes of equal size that is fewer than 1.6 effective modes (exp of the entropy; Srivastava et al. 2017,
  arXiv:1705.07761, count the classes instead, and that count reaches its maximum much earlier).
- within classes: nearly all samples have a near copy among the samples (birthday test, Arora & Zhang 2017,
  arXiv:1706.08224).

Recall is not used: for the default GAN on MNIST it is 0 for the first three epochs, in which half of the samples are
near copies, and then it recovers.

Generators often draw few classes at first and recover: on digits, nets that ended at 9 effective modes had 1 after 200
steps. So a signal is ignored until the generator has warmed up (`WARM_UP_STEPS`, `WARM_UP_PATH`). After that, a
collapsed epoch cannot be the best epoch. A mature generator (`MATURE_PATH`) is stopped after `PATIENCE` collapsed
evaluations in a row without a new best FID: one of eight default GANs on MNIST drew one class for its first 4,300 steps
of 2e-4, and had 6 effective modes at 5,200 (benchmarks/collapse_alarm.py). Generators recover more often from
a collapse within classes (on digits, after four such evaluations), so its patience is longer.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

BETWEEN = 0.2  # share of the training images' class entropy
WITHIN = 0.9  # share of samples that are copies of another
PATIENCE = {"between": 3, "within": 6}  # evaluations in a row
WARM_UP_STEPS = 500  # steps before which no generator counts as warmed up
WARM_UP_PATH = 0.1  # steps x rate: Adam moves a weight by about its rate a step, so a slow net warms up for longer
MATURE_PATH = 1.5  # steps x rate from which a trial may be stopped
LOWER = 0.98  # an FID below this share of the lowest so far is a new best: the trial still learns


def collapse_kind(quality: Mapping[str, Any], class_prior: NDArray[np.float64]) -> str:
    """Return the collapse that the metrics of one evaluation show: "between", "within" or "" for none.

    `class_prior` [K] holds the class shares of the training images. A metric that is missing or nan shows no collapse.
    """
    shares = class_prior[class_prior > 0]
    entropy = float(-(shares * np.log(shares)).sum())
    if entropy > 0 and math.log(max(1.0, _value(quality, "modes", math.inf))) < BETWEEN * entropy:
        return "between"
    return "within" if _value(quality, "duplicates", 0.0) > WITHIN else ""


def is_warmed_up(steps: int, rate: float, path: float = WARM_UP_PATH) -> bool:
    """Return whether a generator has warmed up (with `MATURE_PATH`: is mature) after `steps` updates at rate `rate`."""
    return steps >= WARM_UP_STEPS and steps * rate >= path


def count_collapsed(before: int, quality: Mapping[str, Any], lowest_fid: float, mature: bool = True) -> int:
    """Return how many evaluations in a row a mature generator was collapsed without a new best FID.

    `before` is the count of the evaluation before, `quality` holds the metrics of this one, which is collapsed. If the
    generator is not `mature` yet, the count is 1.
    """
    is_low = _value(quality, "fid", math.inf) < LOWER * lowest_fid
    return before + 1 if mature and not is_low else 1


def next_count(
    before: Mapping[str, Any],
    quality: Mapping[str, Any],
    lowest_fid: float,
    class_prior: NDArray[np.float64],
    steps: int,
    rate: float,
) -> int:
    """Return for how many evaluations in a row the samples have been collapsed, after `steps` updates at rate `rate`.

    `before` holds the metrics of the evaluation before, `quality` those of this one.
    """
    if not (is_warmed_up(steps, rate) and collapse_kind(quality, class_prior)):
        return 0
    return count_collapsed(before.get("narrow", 0), quality, lowest_fid, is_warmed_up(steps, rate, MATURE_PATH))


def is_hopeless(quality: Mapping[str, Any], class_prior: NDArray[np.float64]) -> bool:
    """Return whether to stop a trial with these metrics; their key `narrow` counts its collapsed evaluations."""
    count = quality.get("narrow", 0)
    return bool(count and count >= PATIENCE[collapse_kind(quality, class_prior)])


def _value(quality: Mapping[str, Any], key: str, missing: float) -> float:
    value = quality.get(key, missing)
    return missing if math.isnan(value) else float(value)

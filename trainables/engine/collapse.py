"""The collapse alarm: whether a generator draws almost one thing only, and whether it has had its time to get out.

Two signals, read off the metrics of one evaluation. *Between classes*: the entropy of the samples' classes is below
`BETWEEN` of the training images' own (for ten even classes: fewer than 2 effective modes, exp of the entropy; the
count of Srivastava et al. 2017, arXiv:1705.07761, would be full long before). *Within classes*: more than `WITHIN` of
the samples have a near copy among them (the birthday test of Arora & Zhang 2017, arXiv:1706.08224), or recall is gone
while precision is not (Kynkaanniemi et al. 2019, arXiv:1904.06991, figure 3: truncated, not merely bad).

Young generators start narrow and widen: on digits, nets that end at 9 effective modes had 1 after 200 steps. So a
signal always keeps its epoch from being chosen as the best one, but the trial is given up only after `PATIENCE`
evaluations in a row, and before the generator is grown up they count as one.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

BETWEEN = 0.3  # share of the training images' class entropy
WITHIN = 0.5  # share of samples that are copies of another
RECALL, PRECISION = 0.02, 0.5
PATIENCE = 3  # evaluations in a row
GROWN_STEPS = 500  # steps before which any generator is young
GROWN_PATH = 0.1  # steps x rate: Adam moves a weight by about its rate a step, so a slow net stays young for longer


def is_narrow(quality: Mapping[str, Any], class_prior: NDArray[np.float64]) -> bool:
    """Whether the metrics of one evaluation show a collapse; a metric that is missing or nan shows none."""
    shares = class_prior[class_prior > 0]
    entropy = float(-(shares * np.log(shares)).sum())
    between = entropy > 0 and math.log(max(1.0, _of(quality, "modes", math.inf))) < BETWEEN * entropy
    within = _of(quality, "duplicates", 0.0) > WITHIN
    truncated = _of(quality, "recall", 1.0) < RECALL and _of(quality, "precision", 0.0) > PRECISION
    return between or within or truncated


def narrow_for(before: int, narrow: bool, steps: int, rate: float) -> int:
    """How many evaluations in a row have been narrow, after `before` earlier ones; at most 1 while it is young."""
    if not narrow:
        return 0
    young = steps < GROWN_STEPS or steps * rate < GROWN_PATH
    return 1 if young else before + 1


def _of(quality: Mapping[str, Any], key: str, missing: float) -> float:
    value = quality.get(key, missing)
    return missing if math.isnan(value) else float(value)

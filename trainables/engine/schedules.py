"""Ready schedules of a learning rate: pure functions of the share of the steps done, 0..1."""

import math
from collections.abc import Callable


def cosine(share: float) -> float:
    """Return half a cosine, which falls from 1 to 0 (Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts)."""
    return 0.5 * (1 + math.cos(math.pi * share))


def warmup(part: float, then: Callable[[float], float] | None = None) -> Callable[[float], float]:
    """Return a schedule that rises linearly from 0 to 1 in the first `part` of the steps.

    Then it is 1, or goes through all of the schedule `then` in the rest of the steps.
    """

    def schedule(share: float) -> float:
        if share < part:
            return share / part
        return 1.0 if then is None else then((share - part) / (1 - part))

    return schedule

"""Read the results of finalize: the best trials of a search, trained again on fresh seeds, the same for each of them.

A search shows the luckiest of many noisy trainings, so its scores are too good. Here each finalist has two scores per
seed. The score on `val` is measured as the search measured it, and shows how much the search overestimated the
finalist. The score on `test` uses images that neither the search nor the choice of the epoch has used.

The pick is the finalist with the best mean on `val`. A finalist that failed on more than half of its seeds cannot be
the pick. If possible, the pick breaks no constraint (on `val`) on more than half of the seeds that did not fail.
Every claim about the pick comes from `test`: the interval of its mean, and its paired differences to the other
finalists, with exact sign-flip p-values, corrected by Holm's method over the comparisons.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.base.paired_tests import ALPHA, holm, interval, sign_flip
from analysis.read.results import Sweep
from trainables.errors import UserError
from trainables.filestore import Directory
from trainables.user_model.model import UserModel

FORMAT = 1
Scores = NDArray[np.float64]


class Finalist(NamedTuple):
    """One configuration that was trained again.

    `search` is its score in the search, nan if it had none. `val` and `test` have one score per seed, nan if that
    training failed. `failed`, `collapsed` and `broke` (a constraint) count seeds. `seeds` is what final.json records of
    each training.
    """

    number: int
    search: float
    val: Scores
    test: Scores
    failed: int
    collapsed: int
    broke: int
    seeds: list[dict[str, Any]]


class PairedResult(NamedTuple):
    """The pick compared with another finalist on `test`, over `n` seeds.

    `gain` is the mean of the paired differences, in the objective's unit; it is > 0 if the pick is better. `low` and
    `high` are its interval. `effect` is the mean divided by the standard deviation (Cohen's d of paired differences).
    """

    number: int
    n: int
    gain: float
    low: float
    high: float
    effect: float
    p: float
    p_holm: float

    @property
    def tied(self) -> bool:
        """Return whether these seeds do not show which one is better."""
        return not self.p_holm <= ALPHA


class Final(NamedTuple):
    """`content` is that of final.json; `finalists` are in the order of the search; `against` has all but the pick."""

    content: dict[str, Any]
    finalists: list[Finalist]
    pick: Finalist
    against: list[PairedResult]


def read_final_json(directory: Directory) -> dict[str, Any] | None:
    """Return the content of final.json in a sweep's directory; None if it does not exist.

    Raise UserError if it cannot be read.
    """
    try:
        content: dict[str, Any] = json.loads(directory.read("final.json"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(
            f"final.json of {directory.name!r} is broken ({error}): delete it, and finalize again"
        ) from error
    if content.get("format") != FORMAT:
        raise UserError(
            f"final.json of {directory.name!r} is not of format {FORMAT}, which is what this gensweep reads"
        )
    return content


def load(sweep: Sweep) -> Final | None:
    """Return the results of finalize for a sweep.

    Return None if it has not ended, or if every finalist failed on more than half of its seeds.
    """
    content = read_final_json(sweep.place)
    if content is None or any(len(entry["seeds"]) < content["seeds"] for entry in content["finalists"]):
        return None
    finalists = [_finalist(entry, sweep.metric) for entry in content["finalists"]]
    trained = [finalist for finalist in finalists if finalist.failed <= len(finalist.val) / 2]
    if not trained:
        return None
    feasible = [finalist for finalist in trained if finalist.broke <= (len(finalist.val) - finalist.failed) / 2]
    pick = min(feasible or trained, key=lambda finalist: (sweep.sign * np.nanmean(finalist.val), finalist.number))
    others = [finalist for finalist in finalists if finalist is not pick]
    return Final(content, finalists, pick, compare_with_pick(pick, others, sweep.sign))


def compare_with_pick(pick: Finalist, others: list[Finalist], sign: int) -> list[PairedResult]:
    """Return the pick compared with each other finalist; `sign` is +1 if the objective is minimised."""
    compared = []
    for other in others:
        d = sign * (other.test - pick.test)
        d = d[np.isfinite(d)]
        if not len(d):
            nothing = float("nan")
            compared.append(PairedResult(other.number, 0, nothing, nothing, nothing, nothing, 1.0, 1.0))
            continue
        spread = float(d.std(ddof=1)) if len(d) > 1 else float("nan")
        effect = float(d.mean()) / spread if spread > 0 else float("nan")
        compared.append(PairedResult(other.number, len(d), float(d.mean()), *interval(d), effect, sign_flip(d), 1.0))
    corrected = holm([result.p for result in compared])
    return [result._replace(p_holm=float(p)) for result, p in zip(compared, corrected, strict=True)]


def _finalist(entry: dict[str, Any], metric: str) -> Finalist:
    seeds = entry["seeds"]
    val = np.array([np.nan if training["val"] is None else training["val"] for training in seeds], float)
    test = np.array([np.nan if training["test"] is None else training["test"][metric] for training in seeds], float)
    search = float("nan") if entry["search"] is None else float(entry["search"])
    collapsed, broke = (sum(bool(training.get(key)) for training in seeds) for key in ("collapsed", "broke"))
    return Finalist(entry["number"], search, val, test, int(np.isnan(val).sum()), collapsed, broke, seeds)


def pick_first(sweep: Sweep, final: Final) -> list[Finalist]:
    """Return the finalists: the pick, then the others by their mean on `test`, those without a score last."""

    def position(finalist: Finalist) -> tuple[bool, bool, float]:
        loss = sweep.sign * mean_of_known(finalist.test)
        return finalist is not final.pick, bool(np.isnan(loss)), loss

    return sorted(final.finalists, key=position)


def where_measured(sweep: Sweep) -> str:
    """Return in words where the final scores come from; what a user's `train` logs is not measured on test images."""
    model = sweep.manifest.trainable
    is_logged = isinstance(model, UserModel) and sweep.metric in model.facts.logged
    return "as train() logs it" if is_logged else "on the test split"


def mean_of_known(scores: Scores) -> float:
    """Return the mean of the scores that are not nan; nan if there are none."""
    known = scores[np.isfinite(scores)]
    return float(known.mean()) if len(known) else float("nan")


def seeds_to_add(final: Final) -> int:
    """Return how many more seeds are needed so that a difference could become significant."""
    n, m = len(final.pick.val), len(final.against)
    return next(k for k in range(n, 64) if m * 2.0 ** (1 - k) <= ALPHA) - n

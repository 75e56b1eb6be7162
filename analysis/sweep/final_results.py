"""What finalize has found: the best of a search trained again over fresh seeds, the same seeds for each.

A search shows the luckiest of many noisy trainings, so its scores are too good. Here each finalist has a score a seed:
on `val`, with the search's own stamp, which tells how much the search flattered it; and on `test`, which neither the
search nor the choice of the epoch has seen. The pick is the best mean on `val` of those that did not fail on more than
half of their seeds, nor break a constraint (on `val`) on more than half of the others, if there are such; everything
that is claimed of it rests on `test`: the interval of its mean, and its paired differences to the other finalists, with
exact sign-flip p-values, corrected by Holm over the comparisons.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.base.formatting import format_value, metric_label
from analysis.base.paired_tests import holm, interval, sign_flip
from analysis.read.results import Sweep
from trainables.errors import UserError
from trainables.filestore import Directory

FORMAT = 1
ALPHA = 0.05
Scores = NDArray[np.float64]


class Finalist(NamedTuple):
    """One configuration. `search` is its score in the search, nan where it had none; `val` and `test` have a score per
    seed, nan where that training failed; `failed`, `collapsed` and `broke` (a constraint) count seeds; `seeds` is what
    final.json holds of each training."""

    number: int
    search: float
    val: Scores
    test: Scores
    failed: int
    collapsed: int
    broke: int
    seeds: list[dict[str, Any]]


class PairedResult(NamedTuple):
    """The pick against another finalist on `test`: the mean of the paired differences `gain` (> 0 where the pick is
    better, in the objective's unit) with its interval, over `n` seeds; `effect` is the mean over the standard deviation
    (Cohen's d of paired differences)."""

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
        """Whether these seeds leave open which is better."""
        return not self.p_holm <= ALPHA


class Final(NamedTuple):
    """`meta` is final.json; `finalists` in the order of the search; `against` every one but the pick."""

    meta: dict[str, Any]
    finalists: list[Finalist]
    pick: Finalist
    against: list[PairedResult]


def read_final_json(where: Directory) -> dict[str, Any] | None:
    """What final.json of a sweep's directory holds; None where there is none. UserError where it cannot be read."""
    try:
        meta: dict[str, Any] = json.loads(where.read("final.json"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(f"final.json of {where.name!r} is broken ({error}): delete it, and finalize again") from error
    if meta.get("format") != FORMAT:
        raise UserError(f"final.json of {where.name!r} is not of format {FORMAT}, which is what this gensweep reads")
    return meta


def load(sweep: Sweep) -> Final | None:
    """What finalize found of a sweep; None where it has not ended, or every seed of every finalist failed."""
    meta = read_final_json(sweep.place)
    if meta is None or any(len(one["seeds"]) < meta["seeds"] for one in meta["finalists"]):
        return None
    finalists = [_finalist(one, sweep.metric) for one in meta["finalists"]]
    able = [one for one in finalists if one.failed <= len(one.val) / 2]
    if not able:
        return None
    kept = [one for one in able if one.broke <= (len(one.val) - one.failed) / 2]
    pick = min(kept or able, key=lambda one: (sweep.sign * np.nanmean(one.val), one.number))
    return Final(
        meta, finalists, pick, compare_with_pick(pick, [one for one in finalists if one is not pick], sweep.sign)
    )


def compare_with_pick(pick: Finalist, others: list[Finalist], sign: int) -> list[PairedResult]:
    """The pick against each other finalist; `sign` is +1 where the objective is minimised."""
    found = []
    for other in others:
        d = sign * (other.test - pick.test)
        d = d[np.isfinite(d)]
        if not len(d):
            nothing = float("nan")
            found.append(PairedResult(other.number, 0, nothing, nothing, nothing, nothing, 1.0, 1.0))
            continue
        spread = float(d.std(ddof=1)) if len(d) > 1 else float("nan")
        effect = float(d.mean()) / spread if spread > 0 else float("nan")
        found.append(PairedResult(other.number, len(d), float(d.mean()), *interval(d), effect, sign_flip(d), 1.0))
    corrected = holm([one.p for one in found])
    return [one._replace(p_holm=float(p)) for one, p in zip(found, corrected, strict=True)]


def _finalist(told: dict[str, Any], metric: str) -> Finalist:
    seeds = told["seeds"]
    val = np.array([np.nan if one["val"] is None else one["val"] for one in seeds], float)
    test = np.array([np.nan if one["test"] is None else one["test"][metric] for one in seeds], float)
    search = float("nan") if told["search"] is None else float(told["search"])
    collapsed, broke = (sum(bool(one.get(key)) for one in seeds) for key in ("collapsed", "broke"))
    return Finalist(told["number"], search, val, test, int(np.isnan(val).sum()), collapsed, broke, seeds)


def headline(sweep: Sweep, final: Final) -> str:
    """One sentence or two: how good the pick is, how far ahead of the defaults, and with whom it is tied."""
    pick, metric = final.pick, metric_label(sweep.metric)
    n = int(np.isfinite(pick.test).sum())
    text = (
        f"Trained again from {n} fresh seeds, trial {pick.number} scores {metric} {format_mean_ci(pick.test)} on test"
    )
    against = {one.number: one for one in final.against}
    if 0 in against:
        text += f"; {_margin_sentence(against[0])}"
    elif pick.number == 0:
        text += "; it is the defaults: the search found nothing better"
    if pick.broke:
        text += f"; with {pick.broke} of them it breaks {' or '.join(map(str, sweep.goal.constraints))}"
    tied = [str(one.number) for one in final.against if one.tied and one.number != 0]
    return f"{text}. {_tied_sentence(tied)}"


def _margin_sentence(one: PairedResult) -> str:
    ends = "" if np.isnan(one.low) else f" [{one.low:.3g}, {one.high:.3g}]"
    if one.tied:
        return f"these seeds leave open whether it beats the defaults (by {one.gain:+.3g}{ends}, p = {one.p_holm:.2g})"
    if one.gain > 0:
        return f"it beats the defaults by {one.gain:.3g}{ends} (p = {one.p_holm:.2g})"
    return f"the defaults beat it by {-one.gain:.3g} (p = {one.p_holm:.2g})"


def _tied_sentence(numbers: list[str]) -> str:
    if not numbers:
        return "No other finalist is tied with it."
    some = numbers[0] if len(numbers) == 1 else f"{', '.join(numbers[:-1])} and {numbers[-1]}"
    return f"Tied with {'trial' if len(numbers) == 1 else 'trials'} {some}: these seeds leave open which is best."


def format_mean_ci(scores: Scores) -> str:
    """The mean with its interval: `13.1 [12.5, 13.8]`."""
    known = scores[np.isfinite(scores)]
    if not len(known):
        return "–"
    low, high = interval(known)
    return format_value(float(known.mean())) + ("" if np.isnan(low) else f" [{low:.4g}, {high:.4g}]")


def pick_first(sweep: Sweep, final: Final) -> list[Finalist]:
    """The finalists, the pick first, then by their mean on `test`."""
    return sorted(final.finalists, key=lambda one: (one is not final.pick, sweep.sign * _mean(one.test)))


def finalist_rows(sweep: Sweep, final: Final) -> list[dict[str, str]]:
    """The finalists as a table of words."""
    against = {one.number: one for one in final.against}
    return [
        {
            "number": f"{one.number}{' (defaults)' if one.number == 0 else ''}",
            "search": format_value(one.search),
            "val": format_value(_mean(one.val)),
            "test": format_mean_ci(one.test),
            "behind": "the pick" if one is final.pick else _behind_cell(against[one.number]),
            "effect": "–" if one is final.pick else format_value(against[one.number].effect),
            "p": "–" if one is final.pick else f"{against[one.number].p_holm:.2g}",
            **{key: str(getattr(one, key)) for key in ("failed", "collapsed", "broke")},
        }
        for one in pick_first(sweep, final)
    ]


def _behind_cell(one: PairedResult) -> str:
    word = "tied" if one.tied else "behind" if one.gain > 0 else "ahead"
    ends = "" if np.isnan(one.low) else f" [{one.low:+.3g}, {one.high:+.3g}]"
    return f"{word}: {one.gain:+.3g}{ends}" if one.n else "never ran to its end"


def _mean(scores: Scores) -> float:
    known = scores[np.isfinite(scores)]
    return float(known.mean()) if len(known) else float("inf")


def describe_shrinkage(sweep: Sweep, final: Final) -> str:
    """How much the search flattered its pick, on the very same stamp."""
    pick = final.pick
    lost = sweep.sign * (_mean(pick.val) - pick.search)
    if np.isnan(lost):
        return f"On val trial {pick.number} scores {format_value(_mean(pick.val))} over these seeds."
    how = "worse" if lost > 0 else "better"
    return (
        f"The search showed {format_value(pick.search)} for it, of one training; on the same images (val) the fresh "
        f"seeds give {format_value(_mean(pick.val))}, {abs(lost):.3g} {how}."
    )


def report_context(sweep: Sweep, final: Final) -> dict[str, Any]:
    """What a page says of it."""
    heads = {key: head for key, head in HEADINGS.items() if key != "broke" or sweep.goal.constraints}
    return {
        "score": format_mean_ci(final.pick.test),
        "heads": list(heads.values()),
        "lines": [[line[key] for key in heads] for line in finalist_rows(sweep, final)],
        "stamp": ", ".join(f"{key} {value}" for key, value in final.meta["test_stamp"].items()),
    }


HEADINGS = {
    "number": "trial", "search": "search", "val": "val", "test": "test", "behind": "against the pick", "effect": "d",
    "p": "p (Holm)", "failed": "failed", "collapsed": "collapsed", "broke": "breaks a limit",
}  # fmt: skip


def format_finalists(sweep: Sweep, final: Final) -> str:
    """The table and the verdict for a terminal."""
    page = report_context(sweep, final)
    table = [page["heads"], *page["lines"]]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
    return "\n".join(
        [*shown, "", headline(sweep, final), describe_shrinkage(sweep, final), warn_few_seeds(final)]
    ).rstrip()


def warn_few_seeds(final: Final) -> str:
    """A warning where the seeds are too few for any difference to show, else empty."""
    n, m, add = len(final.pick.val), len(final.against), seeds_to_add(final)
    return f"{n} seeds cannot show any difference between {m + 1} configurations: add {add} (--add-seeds)." * bool(add)


def seeds_to_add(final: Final) -> int:
    """How many more seeds would be enough for that."""
    n, m = len(final.pick.val), len(final.against)
    return next(k for k in range(n, 64) if m * 2.0 ** (1 - k) <= ALPHA) - n

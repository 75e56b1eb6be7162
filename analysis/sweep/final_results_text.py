"""Format the results of finalize: a headline, a table, and how much the search overestimated its winner."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.base.formatting import align_columns, format_value, metric_label
from analysis.base.paired_tests import interval
from analysis.read.results import Sweep
from analysis.sweep.final_results import (
    Final,
    PairedResult,
    Scores,
    mean_of_known,
    pick_first,
    seeds_to_add,
    where_measured,
)


def headline(sweep: Sweep, final: Final) -> str:
    """Return how good the pick is, how far it is ahead of the defaults, and which finalists it is tied with."""
    pick, metric = final.pick, metric_label(sweep.metric)
    n = int(np.isfinite(pick.test).sum())
    text = (
        f"Retrained from {n} fresh seeds, trial {pick.number} scores {metric} {format_mean_ci(pick.test)} "
        f"{where_measured(sweep)}"
    )
    against = {result.number: result for result in final.against}
    if 0 in against:
        text += f"; {_margin_sentence(against[0])}{_lengths_clause(sweep, pick.number)}"
    elif pick.number == 0:
        text += "; it is the defaults: the search found nothing better"
    if pick.broke:
        text += f"; with {pick.broke} of them it breaks {' or '.join(map(str, sweep.goal.constraints))}"
    tied = [str(result.number) for result in final.against if result.tied and result.number != 0]
    return f"{text}. {_tied_sentence(tied)}"


def _margin_sentence(result: PairedResult) -> str:
    ends = "" if np.isnan(result.low) else f" [{result.low:.3g}, {result.high:.3g}]"
    if result.tied:
        return (
            f"these seeds do not show whether it beats the defaults (difference {result.gain:+.3g}{ends}, p = "
            f"{result.p_holm:.2g})"
        )
    if result.gain > 0:
        return f"it beats the defaults by {result.gain:.3g}{ends} (p = {result.p_holm:.2g})"
    return f"the defaults beat it by {-result.gain:.3g} (p = {result.p_holm:.2g})"


def _lengths_clause(sweep: Sweep, number: int) -> str:
    """Return how long a trial and the defaults are trained, if that differs."""
    if "epochs" not in sweep.swept:
        return ""
    pick = int(sweep.trials.set_index("number")["epochs"][number])
    default = sweep.manifest.defaults["epochs"]
    return f"; it is trained for {pick} epochs, the defaults for {default}" if pick != default else ""


def _tied_sentence(numbers: list[str]) -> str:
    if not numbers:
        return "No other finalist is tied with it."
    some = numbers[0] if len(numbers) == 1 else f"{', '.join(numbers[:-1])} and {numbers[-1]}"
    return f"Tied with {'trial' if len(numbers) == 1 else 'trials'} {some}: these seeds do not show which is best."


def format_mean_ci(scores: Scores) -> str:
    """Return the mean with its interval: `13.1 [12.5, 13.8]`."""
    known = scores[np.isfinite(scores)]
    if not len(known):
        return "–"
    low, high = interval(known)
    return format_value(float(known.mean())) + ("" if np.isnan(low) else f" [{low:.4g}, {high:.4g}]")


def finalist_rows(sweep: Sweep, final: Final) -> list[dict[str, str]]:
    """Return the finalists as rows of text, by column."""
    against = {result.number: result for result in final.against}
    return [
        {
            "number": f"{finalist.number}{' (defaults)' if finalist.number == 0 else ''}",
            "search": format_value(finalist.search),
            "val": format_value(mean_of_known(finalist.val)),
            "test": format_mean_ci(finalist.test),
            "behind": "the winner" if finalist is final.pick else _behind_cell(against[finalist.number]),
            "effect": "–" if finalist is final.pick else format_value(against[finalist.number].effect),
            "p": "–" if finalist is final.pick else f"{against[finalist.number].p_holm:.2g}",
            **{key: str(getattr(finalist, key)) for key in ("failed", "collapsed", "broke")},
        }
        for finalist in pick_first(sweep, final)
    ]


def _behind_cell(result: PairedResult) -> str:
    word = "tied" if result.tied else "behind" if result.gain > 0 else "ahead"
    ends = "" if np.isnan(result.low) else f" [{result.low:+.3g}, {result.high:+.3g}]"
    return f"{word}: {result.gain:+.3g}{ends}" if result.n else "every training failed"


def describe_shrinkage(sweep: Sweep, final: Final) -> str:
    """Return how much the search overestimated the pick, from scores that are measured in the same way."""
    pick = final.pick
    lost = sweep.sign * (mean_of_known(pick.val) - pick.search)
    if np.isnan(lost):
        return f"On val trial {pick.number} scores {format_value(mean_of_known(pick.val))} over these seeds."
    how = "worse" if lost > 0 else "better"
    return (
        f"In the search it scored {format_value(pick.search)}, from one training; on the same images (val) the fresh "
        f"seeds average {format_value(mean_of_known(pick.val))}, which is {abs(lost):.3g} {how}."
    )


def report_context(sweep: Sweep, final: Final) -> dict[str, Any]:
    """Return the values for the template of a page."""
    heads = {key: head for key, head in HEADINGS.items() if key != "broke" or sweep.goal.constraints}
    return {
        "score": format_mean_ci(final.pick.test),
        "heads": list(heads.values()),
        "lines": [[line[key] for key in heads] for line in finalist_rows(sweep, final)],
        "where": where_measured(sweep),
        "stamp": ", ".join(f"{key} {value}" for key, value in final.content["test_stamp"].items()),
    }


HEADINGS = {
    "number": "trial", "search": "search", "val": "val", "test": "test", "behind": "difference to the winner",
    "effect": "d", "p": "p (Holm)", "failed": "failed", "collapsed": "collapsed", "broke": "breaks a constraint",
}  # fmt: skip


def format_finalists(sweep: Sweep, final: Final) -> str:
    """Return the table and the verdict for a terminal."""
    page = report_context(sweep, final)
    table = [page["heads"], *page["lines"]]
    return "\n".join(
        [*align_columns(table), "", headline(sweep, final), describe_shrinkage(sweep, final), warn_few_seeds(final)]
    ).rstrip()


def warn_few_seeds(final: Final) -> str:
    """Return a warning if the seeds are too few to show any difference; otherwise an empty text."""
    n, m, add = len(final.pick.val), len(final.against), seeds_to_add(final)
    return (
        f"{n} seeds are too few to show a difference between {m + 1} configurations: add {add} (--add-seeds)."
        * bool(add)
    )

"""Format a comparison of two sweeps (analysis/compare/equal_budget.py) as a sentence, a table and plain data."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.base.formatting import align_columns, format_value, metric_label
from analysis.compare.equal_budget import PickComparison, SweepComparison

UNIT_LABELS = {"trials": "trials", "updates": "updates", "images": "training images", "seconds": "seconds of training"}


def headline(comparison: SweepComparison) -> str:
    """Return the verdict in one line: proven, open, or not proven because a sweep is not finalized."""
    a, b = comparison.names
    if comparison.proof is not None:
        return _picks_headline(comparison.proof, a, b, comparison.metric)
    if not comparison.reached:
        return "Neither has a trial that ended, so there is nothing to compare."
    best = next((best for best in comparison.reached if best.unit == "images"), comparison.reached[0])
    words = [format_value(score) if np.isfinite(score) else "nothing" for score in best.scores]
    return (
        f"Not proven: when both had spent {best.budget:,.0f} {UNIT_LABELS[best.unit]}, {a} had reached "
        f"{metric_label(comparison.metric)} {words[0]} and {b} {words[1]}, each the luckiest of many single trainings."
    )


def _picks_headline(proof: PickComparison, a: str, b: str, metric: str) -> str:
    how = (
        f"{proof.seeds[0]} seeds, paired" if proof.paired else f"{proof.seeds[0]} and {proof.seeds[1]} seeds, unpaired"
    )
    ends = "" if np.isnan(proof.low) else f" [{proof.low:+.3g}, {proof.high:+.3g}]"
    if proof.tied:
        return (
            f"Open: on test ({how}) {_picks((a, b), proof.picks, 'and')} cannot be told apart: {metric_label(metric)} "
            f"{format_value(proof.means[0])} and {format_value(proof.means[1])}, {proof.gain:+.3g}{ends}, "
            f"p = {proof.p:.2g}."
        )
    sign = 1 if proof.gain > 0 else -1
    low, high = sorted((sign * proof.low, sign * proof.high))
    picks = _picks((a, b)[::sign], proof.picks[::sign], "beats")
    return (
        f"Proven: on test ({how}) {picks} by {abs(proof.gain):.3g} [{low:.3g}, {high:.3g}] {metric_label(metric)}, "
        f"p = {proof.p:.2g}."
    )


def _picks(names: tuple[str, ...], picks: tuple[int, ...], verb: str) -> str:
    return f"{names[0]}'s pick (trial {picks[0]}) {verb} {names[1]}'s (trial {picks[1]})"


def format_comparison(comparison: SweepComparison) -> str:
    """Return the table and the verdict for a terminal."""
    a, b = comparison.names
    lines = [["when both had spent", a, b]]
    for best in comparison.reached:
        cells = [
            (format_value(score) if np.isfinite(score) else "nothing") + f" ({n} trial{'s' * (n != 1)})"
            for score, n in zip(best.scores, best.trials, strict=True)
        ]
        lines.append([f"{best.budget:,.0f} {UNIT_LABELS[best.unit]}", *cells])
    return "\n".join(
        [
            f"{metric_label(comparison.metric)}, best so far:",
            *align_columns(lines),
            *_random_lines(comparison),
            "",
            headline(comparison),
        ]
    )


def _random_lines(comparison: SweepComparison) -> list[str]:
    """Return what a random search typically reaches, for each of the two sweeps that is a random search."""
    lines = []
    for best in comparison.reached:
        for name, typical, n in zip(comparison.names, best.random, best.trials, strict=True):
            if best.unit == "trials" and typical is not None:
                better, worse = (format_value(end) if np.isfinite(end) else "open" for end in typical[1:])
                lines.append(
                    f"{name} is a random search: the best of {n} such trials is typically {format_value(typical[0])}, "
                    f"95 % band [{better}, {worse}]."
                )
    return lines


def comparison_dict(comparison: SweepComparison) -> dict[str, Any]:
    """Return the comparison as plain data for JSON; an infinite or unknown number is None."""
    return {
        "sweeps": list(comparison.names),
        "metric": comparison.metric,
        "mode": comparison.mode,
        "budgets": [
            {
                "unit": best.unit,
                "budget": best.budget,
                "best": [_finite_or_none(score) for score in best.scores],
                "trials": list(best.trials),
                "random": [None if ends is None else [_finite_or_none(end) for end in ends] for ends in best.random],
            }
            for best in comparison.reached
        ],
        "proof": None
        if comparison.proof is None
        else {
            key: [_finite_or_none(part) for part in value] if isinstance(value, tuple) else _finite_or_none(value)
            for key, value in comparison.proof._asdict().items()
        },
        "verdict": headline(comparison),
    }


def _finite_or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value

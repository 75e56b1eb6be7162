"""A comparison of two sweeps (analysis/compare/equal_budget.py) in words, as a table and as plain data."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.base.formatting import align_columns, format_value, metric_label
from analysis.compare.equal_budget import PickComparison, SweepComparison

UNIT_LABELS = {"trials": "trials", "images": "training images", "seconds": "seconds of training"}


def headline(found: SweepComparison) -> str:
    """One line: proven, open, or no proof at all."""
    a, b = found.names
    if found.proof is not None:
        return _picks_headline(found.proof, a, b, found.metric)
    if not found.reached:
        return "Neither has a trial that ended, so there is nothing to compare."
    one = next((one for one in found.reached if one.unit == "images"), found.reached[0])
    words = [format_value(score) if np.isfinite(score) else "nothing" for score in one.scores]
    return (
        f"Not proven: when both had spent {one.budget:,.0f} {UNIT_LABELS[one.unit]}, {a} had reached "
        f"{metric_label(found.metric)} {words[0]} and {b} {words[1]}, each the luckiest of many single trainings."
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


def format_comparison(found: SweepComparison) -> str:
    """The table and the verdict for a terminal."""
    a, b = found.names
    lines = [["when both had spent", a, b]]
    for one in found.reached:
        cells = [
            (format_value(score) if np.isfinite(score) else "nothing") + f" ({n} trial{'s' * (n != 1)})"
            for score, n in zip(one.scores, one.trials, strict=True)
        ]
        lines.append([f"{one.budget:,.0f} {UNIT_LABELS[one.unit]}", *cells])
    return "\n".join(
        [
            f"{metric_label(found.metric)}, best so far:",
            *align_columns(lines),
            *_random_lines(found),
            "",
            headline(found),
        ]
    )


def _random_lines(found: SweepComparison) -> list[str]:
    """What random searches typically reach, where one of the two was one."""
    said = []
    for one in found.reached:
        for name, typical, n in zip(found.names, one.random, one.trials, strict=True):
            if one.unit == "trials" and typical is not None:
                better, worse = (format_value(end) if np.isfinite(end) else "open" for end in typical[1:])
                said.append(
                    f"{name} is a random search: the best of {n} such trials is typically {format_value(typical[0])}, "
                    f"95 % band [{better}, {worse}]."
                )
    return said


def comparison_dict(found: SweepComparison) -> dict[str, Any]:
    """The comparison as plain data, fit for JSON: what is infinite or unknown is None."""
    return {
        "sweeps": list(found.names),
        "metric": found.metric,
        "mode": found.mode,
        "budgets": [
            {
                "unit": one.unit,
                "budget": one.budget,
                "best": [_finite_or_none(score) for score in one.scores],
                "trials": list(one.trials),
                "random": [None if ends is None else [_finite_or_none(end) for end in ends] for ends in one.random],
            }
            for one in found.reached
        ],
        "proof": None
        if found.proof is None
        else {
            key: [_finite_or_none(part) for part in value] if isinstance(value, tuple) else _finite_or_none(value)
            for key, value in found.proof._asdict().items()
        },
        "verdict": headline(found),
    }


def _finite_or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value

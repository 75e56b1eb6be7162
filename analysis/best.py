"""Ranks the trials of a sweep: each by its best evaluated epoch, ties by trial number, failed trials never.

A trial that the scheduler stopped is ranked by what it had reached: its weights of that epoch are on the disk like
anyone's. The margin is over trial 0, which runs the defaults. All of it is one training run per configuration.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis import measured, runs
from analysis.runs import Sweep
from analysis.words import named, short, state
from trainables.errors import BadInput


class Margin(NamedTuple):
    """How far the winner is ahead of the defaults, in the objective's own unit: `gain` > 0 means better; `share` of
    the defaults' value (None where that is 0)."""

    default: float
    winner: float
    gain: float
    share: float | None


def ranked(sweep: Sweep) -> pd.DataFrame:
    """The trials that have a score, best first; BadInput, with the reasons counted, where none has."""
    trials = sweep.trials
    scored = trials[~trials["state"].isin(["failed", "waiting"]) & trials["value"].notna()]
    if scored.empty:
        raise BadInput(_nothing(sweep))
    order = (sweep.sign * scored["value"].astype(float)).to_numpy()
    return scored.iloc[np.lexsort((scored["number"].to_numpy(), order))].reset_index(drop=True)


def top(sweep: Sweep, k: int) -> list[dict[str, Any]]:
    """The best k trials as plain dicts fit for JSON, best first: rank, number, state, metric, value, best_epoch,
    epochs_done, wall_s, seed, config, metrics (at the best epoch), directory. BadInput for k < 1 or nothing to rank."""
    if k < 1:
        raise BadInput(f"--top must be at least 1, not {k}")
    numbers = ranked(sweep)["number"].head(k).tolist()
    lines = ranked(sweep).set_index("number", drop=False)
    return [_entry(sweep, rank, lines.loc[number]) for rank, number in enumerate(numbers, start=1)]


def table(sweep: Sweep, k: int) -> str:
    """The best k trials as text: a line a trial, the margin over the defaults, all that was measured on the winner."""
    entries = top(sweep, k)
    heads = ["rank", "trial", "state", sweep.metric, "epoch", *sweep.swept]
    lines = [
        [
            str(entry["rank"]),
            str(entry["number"]),
            state(entry["state"]),
            short(entry["value"]),
            str(entry["best_epoch"]),
        ]
        + [short(entry["config"].get(key)) for key in sweep.swept]  # a conditional key may not apply
        for entry in entries
    ]
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    text = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in [heads, *lines]]
    return "\n".join([*text, "", verdict(sweep), "", measured.text(sweep, entries[0]["number"])])


def margin(sweep: Sweep) -> Margin | None:
    """The winner against trial 0; None where trial 0 has no score."""
    scored = ranked(sweep)
    defaults = scored[scored["number"] == 0]
    if defaults.empty:
        return None
    default, winner = float(defaults["value"].iloc[0]), float(scored["value"].iloc[0])
    gain = sweep.sign * (default - winner)
    return Margin(default, winner, gain, gain / abs(default) if default else None)


def verdict(sweep: Sweep) -> str:
    """One sentence: how the winner stands to the defaults."""
    number, found = int(ranked(sweep)["number"].iloc[0]), margin(sweep)
    if found is None:
        first = sweep.trials.loc[sweep.trials["number"] == 0, "reason"]
        why = f"failed ({first.iloc[0]})" if len(first) and first.iloc[0] else "have no score"
        return f"The defaults (trial 0) {why}, so there is nothing to measure a margin against."
    if number == 0:
        return f"The defaults (trial 0) are the best so far: {named(sweep.metric)} {short(found.default)}."
    share = "" if found.share is None else f" ({found.share:.0%})"
    scores = f"{named(sweep.metric)} {short(found.winner)}, the defaults (trial 0) {short(found.default)}"
    return f"Trial {number} reaches {scores}: {found.gain:.3g} better{share}."


def _nothing(sweep: Sweep) -> str:
    trials = sweep.trials
    failed = Counter(trials.loc[trials["state"] == "failed", "reason"])
    causes = ", ".join(f"{count} {reason}" for reason, count in failed.most_common())
    if failed and len(trials) == failed.total():
        return f"all {len(trials)} trials of {sweep.place.name!r} failed ({causes}): there is no winner to show"
    failures = f", failed: {causes}" if causes else ""
    return f"no trial of {sweep.place.name!r} has a score yet ({len(trials)} begun{failures})"


def _entry(sweep: Sweep, rank: int, line: pd.Series[Any]) -> dict[str, Any]:
    number = int(line["number"])
    one = runs.trial(sweep, number)
    if one.best is None:
        raise BadInput(f"trial {number} of {sweep.place.name!r} is scored in the study but has no rows on the disk")
    return {
        "rank": rank,
        "number": number,
        "state": line["state"],
        "metric": sweep.metric,
        "value": one.best[sweep.metric],
        "best_epoch": one.best["epoch"],
        "epochs_done": one.rows[-1]["epoch"],
        "wall_s": one.rows[-1]["wall_s"],
        "seed": one.seed,
        "config": one.config,
        "metrics": {key: value for key, value in one.best.items() if key not in runs.BOOKKEEPING},
        "directory": runs.folder(number),
    }

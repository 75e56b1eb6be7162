"""Ranks the trials of a sweep: each by its best evaluated epoch, ties by trial number. One that failed never wins, nor
one that breaks a constraint; of several objectives the front comes first, by the primary one.

A trial that the scheduler stopped is ranked by what it had reached: its weights of that epoch are on the disk like
anyone's. The margin is over trial 0, which runs the defaults. All of it is one training run per configuration.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.base.formatting import named, short, state
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep import pareto, trial_metrics
from trainables.errors import UserError

FEW = 5  # trials, where nobody says how many


class Margin(NamedTuple):
    """How far the winner is ahead of the defaults, in the objective's own unit: `gain` > 0 means better; `share` of
    the defaults' value (None where that is 0)."""

    default: float
    winner: float
    gain: float
    share: float | None


def scored(sweep: Sweep) -> pd.DataFrame:
    """The trials that have a score, by number."""
    trials = sweep.trials
    return trials[~trials["state"].isin(["failed", "waiting"]) & trials["value"].notna()]


def kept(sweep: Sweep) -> pd.DataFrame:
    """Those of them that keep every constraint."""
    found = scored(sweep)
    return found[[sweep.goal.keeps(sweep.scores[number]) for number in found["number"]]]


def ranked(sweep: Sweep) -> pd.DataFrame:
    """The trials that may win, best first; UserError, with the reasons counted, where there is none."""
    found = kept(sweep)
    if found.empty:
        raise UserError(_nothing(sweep))
    numbers = found["number"].to_numpy()
    behind = ~pareto.on_front(pareto.losses(sweep, numbers.tolist()))
    order = (sweep.sign * found["value"].astype(float)).to_numpy()
    return found.iloc[np.lexsort((numbers, order, behind))].reset_index(drop=True)


def winners(sweep: Sweep, k: int | None = None) -> list[int]:
    """The numbers of the best k trials, best first; of several objectives of the front alone, evenly along it. `None`
    is the whole front, or a few."""
    numbers: list[int] = ranked(sweep)["number"].tolist()
    if len(sweep.goal.objectives) == 1:
        return numbers[: FEW if k is None else k]
    ahead = pareto.on_front(pareto.losses(sweep, numbers))
    along = [number for number, is_ahead in zip(numbers, ahead, strict=True) if is_ahead]
    return along if k is None else pareto.along(along, k)


def top(sweep: Sweep, k: int | None = None) -> list[dict[str, Any]]:
    """The winners as plain dicts fit for JSON, best first: rank, number, state, metric, value, values (of each
    objective), best_epoch, epochs_done, wall_s, seed, config, metrics (at the best epoch), directory. UserError for
    k < 1 or nothing to rank."""
    if k is not None and k < 1:
        raise UserError(f"--top must be at least 1, not {k}")
    return [_entry(sweep, rank, number) for rank, number in enumerate(winners(sweep, k), start=1)]


def lead(sweep: Sweep, proven: int | None) -> dict[str, Any]:
    """The winner, as `top` gives it: the trial proven the best, where it may win, or else the best of the search."""
    if proven is None or proven not in (numbers := winners(sweep, len(sweep.trials))):
        return top(sweep, 1)[0]
    return _entry(sweep, numbers.index(proven) + 1, proven)


def table(sweep: Sweep, k: int | None = None) -> str:
    """The winners as text: a line a trial and how they stand to the defaults; then all that was measured on the winner,
    where there is one."""
    entries, goal = top(sweep, k), sweep.goal
    metrics = [one.metric for one in goal.objectives]
    lines = [["trial", "state", *metrics, "epoch"]]
    for entry in entries:
        scores = [short(entry["values"][metric]) for metric in metrics]
        lines.append([str(entry["number"]), state(entry["state"]), *scores, str(entry["best_epoch"])])
    if len(metrics) > 1:
        ends = ["changed", *(pareto.changed(sweep, entry["number"], entry["config"]) for entry in entries)]
        return "\n".join([*_columns(lines, ends), "", verdict(sweep)])
    ranks = ["rank", *(str(entry["rank"]) for entry in entries)]
    configs = [sweep.swept, *([short(entry["config"].get(key)) for key in sweep.swept] for entry in entries)]
    cells = [[rank, *line, *config] for rank, line, config in zip(ranks, lines, configs, strict=True)]
    return "\n".join([*_columns(cells), "", verdict(sweep), "", trial_metrics.text(sweep, entries[0]["number"])])


def _columns(lines: list[list[str]], ends: list[str] | None = None) -> list[str]:
    """Lines of cells as text, each column as wide as its widest cell, with `ends` behind them."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return text if ends is None else [f"{line}  {end}".rstrip() for line, end in zip(text, ends, strict=True)]


def margin(sweep: Sweep) -> Margin | None:
    """The winner against trial 0; None where trial 0 has no score."""
    found = ranked(sweep)
    defaults = found[found["number"] == 0]
    if defaults.empty:
        return None
    default, winner = float(defaults["value"].iloc[0]), float(found["value"].iloc[0])
    gain = sweep.sign * (default - winner)
    return Margin(default, winner, gain, gain / abs(default) if default else None)


def verdict(sweep: Sweep) -> str:
    """How the winner, or the front, stands to the defaults; and how many trials break a constraint."""
    broken = len(scored(sweep)) - len(kept(sweep))
    limits = " and ".join(map(str, sweep.goal.constraints))
    said = f" {broken} of {len(scored(sweep))} trials {'breaks' if broken == 1 else 'break'} {limits} and cannot win."
    if len(sweep.goal.objectives) == 1:
        return _margin_in_words(sweep) + said * bool(broken)
    return pareto.verdict(sweep, winners(sweep), ranked(sweep)["number"].tolist()) + said * bool(broken)


def _margin_in_words(sweep: Sweep) -> str:
    number, found = int(ranked(sweep)["number"].iloc[0]), margin(sweep)
    if found is None:
        first = sweep.trials.loc[sweep.trials["number"] == 0, "reason"]
        why = f"failed ({first.iloc[0]})" if len(first) and first.iloc[0] else "have no score"
        why = why if 0 not in sweep.scores else f"break {breaks(sweep, 0)}"
        return f"The defaults (trial 0) {why}, so there is nothing to measure a margin against."
    if number == 0:
        return f"The defaults (trial 0) are the best so far: {named(sweep.metric)} {short(found.default)}."
    share = "" if found.share is None else f" ({found.share:.0%})"
    scores = f"{named(sweep.metric)} {short(found.winner)}, the defaults (trial 0) {short(found.default)}"
    return f"Trial {number} reaches {scores}: {found.gain:.3g} better{share}."


def breaks(sweep: Sweep, number: int) -> str:
    """The constraints that a scored trial breaks: `modes>=7 (6.2)`; empty where it keeps them all."""
    values = sweep.scores[number]
    broken = [one for one in sweep.goal.constraints if one.excess(values) > 0]
    return " and ".join(f"{one} ({short(values[one.key])})" for one in broken)


def _nothing(sweep: Sweep) -> str:
    trials = sweep.trials
    numbers = scored(sweep)["number"].tolist()
    if numbers:
        near = min(
            numbers,
            key=lambda number: sum(max(0.0, one.excess(sweep.scores[number])) for one in sweep.goal.constraints),
        )
        return (
            f"none of the {len(numbers)} scored trials of {sweep.place.name!r} keeps the constraints; nearest is trial "
            f"{near}, which breaks {breaks(sweep, near)}"
        )
    failed = Counter(trials.loc[trials["state"] == "failed", "reason"])
    causes = ", ".join(f"{count} {reason}" for reason, count in failed.most_common())
    if failed and len(trials) == failed.total():
        return f"all {len(trials)} trials of {sweep.place.name!r} failed ({causes}): there is no winner to show"
    failures = f", failed: {causes}" if causes else ""
    return f"no trial of {sweep.place.name!r} has a score yet ({len(trials)} begun{failures})"


def _entry(sweep: Sweep, rank: int, number: int) -> dict[str, Any]:
    one = results.trial(sweep, number)
    if one.best is None:
        raise UserError(f"trial {number} of {sweep.place.name!r} is scored in the study but has no rows on the disk")
    return {
        "rank": rank,
        "number": number,
        "state": str(sweep.trials.set_index("number")["state"][number]),
        "metric": sweep.metric,
        "value": one.best[sweep.metric],
        "values": {each.metric: one.best[each.metric] for each in sweep.goal.objectives},
        "best_epoch": one.best["epoch"],
        "epochs_done": one.rows[-1]["epoch"],
        "wall_s": one.rows[-1]["wall_s"],
        "seed": one.seed,
        "config": one.config,
        "metrics": {key: value for key, value in one.best.items() if results.is_measured(key)},
        "directory": results.folder(number),
    }

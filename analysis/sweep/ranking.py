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

from analysis.base.formatting import align_columns, format_value, metric_label, state_label
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep import pareto, trial_metrics
from trainables.errors import UserError

DEFAULT_TOP = 5  # trials, where nobody says how many


class Margin(NamedTuple):
    """How far the winner is ahead of the defaults, in the objective's own unit: `gain` > 0 means better; `share` of
    the defaults' value (None where that is 0)."""

    default: float
    winner: float
    gain: float
    share: float | None


def scored_trials(sweep: Sweep) -> pd.DataFrame:
    """The trials that have a score, by number."""
    trials = sweep.trials
    return trials[~trials["state"].isin(["failed", "waiting"]) & trials["value"].notna()]


def feasible_trials(sweep: Sweep) -> pd.DataFrame:
    """Those of them that keep every constraint."""
    found = scored_trials(sweep)
    return found[[sweep.goal.keeps(sweep.scores[number]) for number in found["number"]]]


def ranked_trials(sweep: Sweep) -> pd.DataFrame:
    """The trials that may win, best first; UserError, with the reasons counted, where there is none."""
    found = feasible_trials(sweep)
    if found.empty:
        raise UserError(_why_no_winner(sweep))
    numbers = found["number"].to_numpy()
    behind = ~pareto.non_dominated(pareto.objective_losses(sweep, numbers.tolist()))
    order = (sweep.sign * found["value"].astype(float)).to_numpy()
    return found.iloc[np.lexsort((numbers, order, behind))].reset_index(drop=True)


def winner(sweep: Sweep) -> int:
    """Return the number of the best trial; raise UserError if no trial can win."""
    return int(ranked_trials(sweep)["number"].iloc[0])


def trial_or_winner(sweep: Sweep, trial: int | None) -> int:
    """Return the number `trial`, or the winner's if it is None; raise UserError if the sweep has no such trial."""
    if trial is None:
        return winner(sweep)
    if trial not in sweep.trials["number"].tolist():
        raise UserError(f"no trial {trial} in {sweep.place.name!r}: it has trials 0 to {len(sweep.trials) - 1}")
    return trial


def winner_numbers(sweep: Sweep, k: int | None = None) -> list[int]:
    """The numbers of the best k trials, best first; of several objectives of the front alone, evenly along it. `None`
    is the whole front, or a few."""
    numbers: list[int] = ranked_trials(sweep)["number"].tolist()
    if len(sweep.goal.objectives) == 1:
        return numbers[: DEFAULT_TOP if k is None else k]
    ahead = pareto.non_dominated(pareto.objective_losses(sweep, numbers))
    along = [number for number, is_ahead in zip(numbers, ahead, strict=True) if is_ahead]
    return along if k is None else pareto.spread_over_front(along, k)


def top_entries(sweep: Sweep, k: int | None = None) -> list[dict[str, Any]]:
    """The winners as plain dicts fit for JSON, best first: rank, number, state, metric, value, values (of each
    objective), best_epoch, epochs_done, wall_s, seed, config, metrics (at the best epoch), directory. UserError for
    k < 1 or nothing to rank."""
    if k is not None and k < 1:
        raise UserError(f"--top must be at least 1, not {k}")
    return [_entry(sweep, rank, number) for rank, number in enumerate(winner_numbers(sweep, k), start=1)]


def winner_entry(sweep: Sweep, proven: int | None) -> dict[str, Any]:
    """The winner, as `top` gives it: the trial proven the best, where it may win, or else the best of the search."""
    if proven is None or proven not in (numbers := winner_numbers(sweep, len(sweep.trials))):
        return top_entries(sweep, 1)[0]
    return _entry(sweep, numbers.index(proven) + 1, proven)


def format_table(sweep: Sweep, k: int | None = None) -> str:
    """The winners as text: a line a trial and how they stand to the defaults; then all that was measured on the winner,
    where there is one."""
    entries, goal = top_entries(sweep, k), sweep.goal
    metrics = [one.metric for one in goal.objectives]
    lines = [["trial", "state", *metrics, "epoch"]]
    for entry in entries:
        scores = [format_value(entry["values"][metric]) for metric in metrics]
        lines.append([str(entry["number"]), state_label(entry["state"]), *scores, str(entry["best_epoch"])])
    if len(metrics) > 1:
        ends = ["changed", *(pareto.diff_from_defaults(sweep, entry["number"], entry["config"]) for entry in entries)]
        table = [f"{line}  {end}".rstrip() for line, end in zip(align_columns(lines, True), ends, strict=True)]
        return "\n".join([*table, "", headline(sweep)])
    ranks = ["rank", *(str(entry["rank"]) for entry in entries)]
    configs = [sweep.swept, *([format_value(entry["config"].get(key)) for key in sweep.swept] for entry in entries)]
    cells = [[rank, *line, *config] for rank, line, config in zip(ranks, lines, configs, strict=True)]
    return "\n".join(
        [
            *align_columns(cells, True),
            "",
            headline(sweep),
            "",
            trial_metrics.format_metrics(sweep, entries[0]["number"]),
        ]
    )


def margin_over_defaults(sweep: Sweep) -> Margin | None:
    """The winner against trial 0; None where trial 0 has no score."""
    found = ranked_trials(sweep)
    defaults = found[found["number"] == 0]
    if defaults.empty:
        return None
    default, winner = float(defaults["value"].iloc[0]), float(found["value"].iloc[0])
    gain = sweep.sign * (default - winner)
    return Margin(default, winner, gain, gain / abs(default) if default else None)


def headline(sweep: Sweep) -> str:
    """How the winner, or the front, stands to the defaults; and how many trials break a constraint."""
    n = len(scored_trials(sweep))
    broken = n - len(feasible_trials(sweep))
    limits = " and ".join(map(str, sweep.goal.constraints))
    said = f" {broken} of {n} trials {'breaks' if broken == 1 else 'break'} {limits} and cannot win."
    if len(sweep.goal.objectives) == 1:
        return _margin_sentence(sweep) + said * bool(broken)
    return pareto.describe_front(sweep, winner_numbers(sweep), ranked_trials(sweep)["number"].tolist()) + said * bool(
        broken
    )


def _margin_sentence(sweep: Sweep) -> str:
    number, found = winner(sweep), margin_over_defaults(sweep)
    if found is None:
        first = sweep.trials.loc[sweep.trials["number"] == 0, "reason"]
        why = f"failed ({first.iloc[0]})" if len(first) and first.iloc[0] else "have no score"
        why = why if 0 not in sweep.scores else f"break {broken_constraints(sweep, 0)}"
        return f"The defaults (trial 0) {why}, so there is no margin over them to report."
    if number == 0:
        return (
            f"The defaults (trial 0) are the best so far: {metric_label(sweep.metric)} {format_value(found.default)}."
        )
    share = "" if found.share is None else f" ({found.share:.0%})"
    scores = f"{format_value(found.winner)}, the defaults (trial 0) {format_value(found.default)}"
    return f"Trial {number} reaches {metric_label(sweep.metric)} {scores}: {found.gain:.3g} better{share}."


def broken_constraints(sweep: Sweep, number: int) -> str:
    """The constraints that a scored trial breaks: `modes>=7 (6.2)`; empty where it keeps them all."""
    values = sweep.scores[number]
    broken = [one for one in sweep.goal.constraints if one.excess(values) > 0]
    return " and ".join(f"{one} ({format_value(values[one.key])})" for one in broken)


def _why_no_winner(sweep: Sweep) -> str:
    trials = sweep.trials
    numbers = scored_trials(sweep)["number"].tolist()
    if numbers:
        near = min(
            numbers,
            key=lambda number: sum(max(0.0, one.excess(sweep.scores[number])) for one in sweep.goal.constraints),
        )
        return (
            f"none of the {len(numbers)} scored trials of {sweep.place.name!r} meets the constraints; the closest is "
            f"trial {near}, which breaks {broken_constraints(sweep, near)}"
        )
    failed = Counter(trials.loc[trials["state"] == "failed", "reason"])
    causes = ", ".join(f"{count} {reason}" for reason, count in failed.most_common())
    if failed and len(trials) == failed.total():
        return f"all {len(trials)} trials of {sweep.place.name!r} failed ({causes}): there is no winner to show"
    failures = f", failed: {causes}" if causes else ""
    return f"no trial of {sweep.place.name!r} has a score yet ({len(trials)} begun{failures})"


def _entry(sweep: Sweep, rank: int, number: int) -> dict[str, Any]:
    one = results.read_trial(sweep, number)
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
        "directory": results.trial_folder(number),
    }

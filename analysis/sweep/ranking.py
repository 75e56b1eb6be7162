"""Rank the trials of a sweep by their best evaluated epochs, and ties by trial number.

A trial that failed or breaks a constraint cannot win. If there are several objectives, the trials of the Pareto front
come first, in the order of the primary objective.

A trial that the scheduler stopped is ranked as well, since its weights of its best epoch are on the disk. Each
configuration was trained once.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.base.formatting import align_columns, format_value, metric_label, state_label
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep import diagnoses, margin, pareto, trial_metrics
from trainables.errors import UserError

DEFAULT_TOP = 5  # trials, if the user does not say how many


def scored_trials(sweep: Sweep) -> pd.DataFrame:
    """Return the trials that have a score, by number."""
    trials = sweep.trials
    return trials[~trials["state"].isin(["failed", "waiting"]) & trials["value"].notna()]


def feasible_trials(sweep: Sweep) -> pd.DataFrame:
    """Return the trials that have a score and keep every constraint, by number."""
    scored = scored_trials(sweep)
    return scored[[sweep.goal.keeps(sweep.scores[number]) for number in scored["number"]]]


def ranked_trials(sweep: Sweep) -> pd.DataFrame:
    """Return the trials that can win, best first; raise UserError, with the reasons counted, if there are none."""
    feasible = feasible_trials(sweep)
    if feasible.empty:
        raise UserError(_why_no_winner(sweep))
    numbers = feasible["number"].to_numpy()
    behind = ~pareto.non_dominated(pareto.objective_losses(sweep, numbers.tolist()))
    order = (sweep.sign * feasible["value"].astype(float)).to_numpy()
    return feasible.iloc[np.lexsort((numbers, order, behind))].reset_index(drop=True)


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
    """Return the numbers of the best k trials, best first.

    If there are several objectives, return k trials of the Pareto front, evenly along it. If k is None, return the
    whole front, or the best DEFAULT_TOP trials of a single objective.
    """
    numbers: list[int] = ranked_trials(sweep)["number"].tolist()
    if len(sweep.goal.objectives) == 1:
        return numbers[: DEFAULT_TOP if k is None else k]
    ahead = pareto.non_dominated(pareto.objective_losses(sweep, numbers))
    along = [number for number, is_ahead in zip(numbers, ahead, strict=True) if is_ahead]
    return along if k is None else pareto.spread_over_front(along, k)


def top_entries(sweep: Sweep, k: int | None = None) -> list[dict[str, Any]]:
    """Return the best trials as plain dicts for JSON, best first.

    The keys are rank, number, state, metric, value, values (of each objective), best_epoch, epochs_done, wall_s, seed,
    config, metrics (at the best epoch), findings and directory. Raise UserError if k < 1 or no trial can win.
    """
    if k is not None and k < 1:
        raise UserError(f"--top must be at least 1, not {k}")
    return [_entry(sweep, rank, number) for rank, number in enumerate(winner_numbers(sweep, k), start=1)]


def winner_entry(sweep: Sweep, proven: int | None) -> dict[str, Any]:
    """Return the entry of the trial that is proven the best, if it can win; otherwise that of the search's best."""
    if proven is None or proven not in (numbers := winner_numbers(sweep, len(sweep.trials))):
        return top_entries(sweep, 1)[0]
    return _entry(sweep, numbers.index(proven) + 1, proven)


def format_table(sweep: Sweep, k: int | None = None) -> str:
    """Return the best trials as text: one line per trial, and a comparison with the defaults.

    If there is a single objective, everything that was measured on the winner follows.
    """
    entries, goal = top_entries(sweep, k), sweep.goal
    metrics = [objective.metric for objective in goal.objectives]
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


def headline(sweep: Sweep) -> str:
    """Compare the winner, or the Pareto front, with the defaults, and count the trials that break a constraint."""
    n = len(scored_trials(sweep))
    broken = n - len(feasible_trials(sweep))
    limits = " and ".join(map(str, sweep.goal.constraints))
    excluded = f" {broken} of {n} trials {'breaks' if broken == 1 else 'break'} {limits} and cannot win."
    if len(sweep.goal.objectives) == 1:
        text = _margin_sentence(sweep)
    else:
        text = pareto.describe_front(sweep, winner_numbers(sweep), ranked_trials(sweep)["number"].tolist())
    return text + excluded * bool(broken)


def _margin_sentence(sweep: Sweep) -> str:
    number = winner(sweep)
    if number == 0:
        best = format_value(sweep.scores[0][sweep.metric])
        return f"The defaults (trial 0) are the best so far: {metric_label(sweep.metric)} {best}."
    if (ahead := margin.margin_over_defaults(sweep, number)) is not None:
        return margin.describe_margin(sweep, number, ahead)
    reason, broken = sweep.trials.loc[sweep.trials["number"] == 0, "reason"].dropna().tolist(), ""
    if 0 in sweep.scores:
        broken = broken_constraints(sweep, 0)
    if reason:
        why = f"failed ({reason[0]})"
    elif broken:
        why = f"break {broken}"
    else:
        why = f"and trial {number} have no scores within the same epochs" if 0 in sweep.scores else "have no score"
    return f"The defaults (trial 0) {why}, so the winner cannot be compared with them."


def broken_constraints(sweep: Sweep, number: int) -> str:
    """Return the constraints that a scored trial breaks: `modes>=7 (6.2)`; an empty text if it keeps them all."""
    values = sweep.scores[number]
    broken = [limit for limit in sweep.goal.constraints if limit.excess(values) > 0]
    return " and ".join(f"{limit} ({format_value(values[limit.key])})" for limit in broken)


def _why_no_winner(sweep: Sweep) -> str:
    trials = sweep.trials
    numbers = scored_trials(sweep)["number"].tolist()
    if numbers:
        near = min(
            numbers,
            key=lambda number: sum(max(0.0, limit.excess(sweep.scores[number])) for limit in sweep.goal.constraints),
        )
        return (
            f"none of the {len(numbers)} scored trials of {sweep.place.name!r} meets the constraints; the closest is "
            f"trial {near}, which breaks {broken_constraints(sweep, near)}"
        )
    failed = Counter(trials.loc[trials["state"] == "failed", "reason"])
    causes = ", ".join(f"{count} {reason}" for reason, count in failed.most_common())
    if failed and len(trials) == failed.total():
        return f"all {len(trials)} trials of {sweep.place.name!r} failed ({causes}), so none of them can win"
    failures = f", failed: {causes}" if causes else ""
    return f"no trial of {sweep.place.name!r} has a score yet ({len(trials)} begun{failures})"


def _entry(sweep: Sweep, rank: int, number: int) -> dict[str, Any]:
    trial = results.read_trial(sweep, number)
    if trial.best is None:
        raise UserError(f"trial {number} of {sweep.place.name!r} is scored in the study but has no rows on the disk")
    return {
        "rank": rank,
        "number": number,
        "state": str(sweep.trials.set_index("number")["state"][number]),
        "metric": sweep.metric,
        "value": trial.best[sweep.metric],
        "values": {objective.metric: trial.best[objective.metric] for objective in sweep.goal.objectives},
        "best_epoch": trial.best["epoch"],
        "epochs_done": trial.rows[-1]["epoch"],
        "wall_s": trial.rows[-1]["wall_s"],
        "seed": trial.seed,
        "config": trial.config,
        "metrics": {key: value for key, value in trial.best.items() if results.is_measured(key)},
        "findings": diagnoses.to_json(diagnoses.diagnose_rows(sweep, trial)),
        "directory": results.trial_folder(number),
    }

"""Summarise the progress of a sweep: the trials by state, the best one so far, and the seconds that they took."""

from __future__ import annotations

from typing import Any

from analysis.base.formatting import format_value, metric_label
from analysis.read.results import Sweep
from analysis.sweep import ranking


def summary(sweep: Sweep) -> dict[str, Any]:
    """Return the progress of a sweep as plain data for JSON.

    It holds the number of trials by state, `asked` (the number of trials that the sweep is to run), the best trial so
    far (None before the first score) and `trial_s`, the seconds that the finished trials took together.
    """
    states = sweep.trials["state"].value_counts()
    counts = {
        "done": int(states.get("complete", 0)),
        "stopped": int(states.get("pruned", 0)),
        "failed": int(states.get("failed", 0)),
        "open": int(states.get("open", 0)),
    }
    n_trials = int(sweep.manifest.trials)
    reasons = sweep.trials.loc[sweep.trials["state"] == "failed", "reason"].value_counts()
    return {
        "name": sweep.manifest.name,
        "asked": n_trials,
        **counts,
        "waiting": max(0, n_trials - sum(counts.values())),
        "reasons": {str(reason): int(count) for reason, count in reasons.items()},
        "best": _best(sweep),
        "trial_s": round(float(sweep.trials["wall_s"].astype(float).sum()), 1),
    }


def format_status(sweep: Sweep) -> str:
    """Return the summary as text, for a terminal."""
    progress = summary(sweep)
    reasons = ", ".join(f"{count} {reason}" for reason, count in progress["reasons"].items())
    parts = [f"{progress[key]} {key}" for key in ("done", "stopped", "failed", "open", "waiting")]
    if reasons:
        parts[2] += f" ({reasons})"
    lead = progress["best"]
    best_line = "best so far: none, no trial has been scored"
    if lead:
        score = ", ".join(f"{metric_label(metric)} {format_value(value)}" for metric, value in lead["values"].items())
        best_line = f"best so far: trial {lead['number']}, {score} at epoch {lead['best_epoch']}"
        on_front = len(ranking.winner_numbers(sweep))
        best_line += f"; {on_front} trial{'s' * (on_front > 1)} on the Pareto front" * (len(lead["values"]) > 1)
    elif not ranking.scored_trials(sweep).empty:
        best_line = f"best so far: none meets {' and '.join(map(str, sweep.goal.constraints))}"
    title = f"{progress['name']}: {sweep.manifest.model} on {sweep.manifest.dataset}, {progress['asked']} trials"
    return "\n".join([title, ", ".join(parts), best_line, f"trial time: {progress['trial_s']:.0f} s"])


def _best(sweep: Sweep) -> dict[str, Any] | None:
    if ranking.feasible_trials(sweep).empty:
        return None
    lead = ranking.ranked_trials(sweep).iloc[0]
    number = int(lead["number"])
    values = {objective.metric: sweep.scores[number][objective.metric] for objective in sweep.goal.objectives}
    return {
        "number": number,
        "value": float(lead["value"]),
        "values": values,
        "best_epoch": int(lead["best_epoch"]),
    }

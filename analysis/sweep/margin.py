"""Compare a trial with the defaults, which trial 0 runs, after equal training.

The longer one of two trainings has had more chances of a good epoch. So each counts with its best evaluated epoch up to
the last epoch of the shorter one. Equal epochs are equal updates, unless a batch size is searched while an epoch is one
pass over the images. So both numbers of updates are named.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from analysis.base.formatting import format_value, metric_label
from analysis.read import results
from analysis.read.results import Sweep


class Margin(NamedTuple):
    """How far a trial is ahead of the defaults, in the objective's own unit.

    `gain` > 0 means better. `share` is the gain divided by the value of the defaults, None if that value is 0. Both
    values are the best up to `epochs`. `updates` are those of the defaults and of the trial; empty if one of the
    two does not count them.
    """

    default: float
    winner: float
    gain: float
    share: float | None
    epochs: int
    updates: tuple[int, ...]

    @property
    def budget(self) -> str:
        """Return how long both have trained: `10 epochs (8,590 updates)`, with both numbers if they differ."""
        numbers = [f"{n:,}" for n in dict.fromkeys(self.updates)]
        if len(numbers) == 2:
            numbers = [f"the defaults {numbers[0]}", f"the winner {numbers[1]}"]
        return count_epochs(self.epochs) + (f" ({', '.join(numbers)} updates)" if numbers else "")


def margin_over_defaults(sweep: Sweep, number: int) -> Margin | None:
    """Return the margin of a trial over trial 0.

    Return None if trial 0 failed, or if one of the two has no score within the epochs of both that could win.
    """
    if "failed" in sweep.trials.loc[sweep.trials["number"] == 0, "state"].tolist():
        return None
    trials = [results.read_trial(sweep, 0), results.read_trial(sweep, number)]
    epochs = min(trial.rows[-1]["epoch"] if trial.rows else 0 for trial in trials)
    rows = [[row for row in trial.rows if row["epoch"] <= epochs] for trial in trials]
    best = [row for part in rows if (row := results.best_row(sweep.goal, part)) and sweep.goal.keeps(row)]
    if len(best) < len(trials):
        return None
    default, winner = (float(row[sweep.metric]) for row in best)
    gain = sweep.sign * (default - winner)
    counted = tuple(n for part in rows if (n := _updates(part[-1])) is not None)
    updates = counted if len(counted) == len(trials) and any(counted) else ()  # none: not by batches of `data`
    return Margin(default, winner, gain, gain / abs(default) if default else None, epochs, updates)


def describe_margin(sweep: Sweep, number: int, margin: Margin) -> str:
    """Return what the winner and the defaults reach, after how much training, and how far the winner is ahead."""
    name, best = metric_label(sweep.metric), sweep.scores[number][sweep.metric]
    winner, default = format_value(margin.winner), format_value(margin.default)
    text = (
        f"Trial {number} reaches {name} {winner}, the defaults (trial 0) {default}, both after at most {margin.budget}"
        if best == margin.winner
        else f"Trial {number} reaches {name} {format_value(best)}, but the defaults (trial 0) were trained for only "
        f"{count_epochs(margin.epochs)}. Both after at most {margin.budget}, trial {number} reaches {winner} and the "
        f"defaults {default}"
    )
    share = "" if margin.share is None else f" ({abs(margin.share):.0%})"
    return f"{text}: {abs(margin.gain):.3g} {'worse' if margin.gain < 0 else 'better'}{share}."


def count_epochs(n: int) -> str:
    """Return `1 epoch` or `10 epochs`."""
    return f"{n} epoch{'s' * (n != 1)}"


def _updates(row: dict[str, Any]) -> int | None:
    """Return the updates up to a row, of the net that is updated least often; None if the row does not count them."""
    return min((int(row[key]) for key in row if key.startswith("updates")), default=None)

"""Draw the failure map: the part of the space in which trials collapse, diverge or break, or show another fault.

Each trial is a point over two parameters: those that separate failed trials from the others best, by the information
gain of one cut (a decision stump; Quinlan 1986, eq. 3). The caption gives the counts of the cut, so that a reader sees
how strong the evidence is. With few trials the cut is only a hint, and other parameters vary as well. If no trial
failed, the cut is that of the trials with findings (analysis/sweep/diagnoses).
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from numpy.typing import NDArray

from analysis.base.formatting import format_value
from analysis.figures import style
from analysis.read.results import Sweep
from analysis.sweep import diagnoses
from search_spaces.param import Param

TITLE = "Where trials fail"
MARKS = {"collapsed": "v", "nan": "X", "oom": "s", "lost": "D"}  # any other class of failure: a plus
FINDING_MARKS = "^<>phd*H8|"  # of DIAGNOSES, in order


class Cut(NamedTuple):
    """The best cut of one parameter: the side that fails more often, and the failed trials of each side."""

    key: str
    gain: float  # bits
    side: str  # such as "lr_g above 0.003"
    inside: tuple[int, int]  # failed, all
    outside: tuple[int, int]


class Scale(NamedTuple):
    key: str
    log: bool
    choices: list[str]  # empty for a number


class Failures(NamedTuple):
    scales: list[Scale]  # x, and y if a second parameter is searched
    points: list[list[float]]  # one list of positions for each scale; nan if a conditional key does not apply
    reasons: list[str]  # "" if the trial did not fail
    cut: Cut
    findings: list[list[str]]  # of each trial: keys of DIAGNOSES


def data(sweep: Sweep) -> list[Failures]:
    ended = sweep.trials[sweep.trials["state"].isin(["complete", "pruned", "failed"])]
    failed = (ended["state"] == "failed").to_numpy()
    keys = [key for key in sweep.swept if key in ended]
    diagnosed = diagnoses.diagnose_trials(sweep, ended["number"]).values()
    findings = [[finding.key for finding in of_trial] for of_trial in diagnosed]
    marked = failed if failed.any() else np.array([bool(keys_of_trial) for keys_of_trial in findings])
    if not keys or not marked.any():
        return []
    params = sweep.space
    cuts = {key: best_cut(key, ended[key].tolist(), marked, params[key]) for key in keys}
    shown = sorted(keys, key=lambda key: -cuts[key].gain)[:2]
    scales = [_scale(key, params[key]) for key in shown]
    points = [[_position(value, scale) for value in ended[scale.key]] for scale in scales]
    reasons = [str(reason) if lost else "" for reason, lost in zip(ended["reason"], failed, strict=True)]
    return [Failures(scales, points, reasons, cuts[shown[0]], findings)]


def best_cut(key: str, values: list[Any], failed: NDArray[np.bool_], param: Param) -> Cut:
    """Return the cut of `values` with the highest information gain. Trials without the key are on the other side."""
    options: dict[str, NDArray[np.bool_]] = {}
    if param.kind == "categorical":
        options = {f"{key} = {choice}": np.array([str(v) == str(choice) for v in values]) for choice in param.choices}
    else:
        numbers = np.array([float("nan") if v is None else float(v) for v in values])
        known = np.unique(numbers[np.isfinite(numbers)])
        for low, high in pairwise(known):
            middle = math.sqrt(low * high) if param.log else (low + high) / 2
            options[f"{key} above {format_value(middle)}"] = numbers > middle
            options[f"{key} below {format_value(middle)}"] = numbers < middle
    best = Cut(key, 0.0, "", (0, 0), (int(failed.sum()), len(failed)))
    for side, inside in options.items():
        counts = [(int(failed[part].sum()), int(part.sum())) for part in (inside, ~inside)]
        gain = _entropy(int(failed.sum()), len(failed)) - sum(n / len(failed) * _entropy(k, n) for k, n in counts)
        worse = counts[0][0] * counts[1][1] > counts[1][0] * counts[0][1]  # the side named is the one that fails more
        if worse and gain > best.gain + 1e-12:
            best = Cut(key, gain, side, counts[0], counts[1])
    return best


def _entropy(k: int, n: int) -> float:
    return 0.0 if k in (0, n) else -sum(p * math.log2(p) for p in (k / n, 1 - k / n))


def _scale(key: str, param: Param) -> Scale:
    if param.kind == "categorical":
        return Scale(key, False, [str(choice) for choice in param.choices])
    return Scale(key, param.log, [])


def _position(value: Any, scale: Scale) -> float:
    if value is None or value != value:
        return float("nan")
    return float(scale.choices.index(str(value))) if scale.choices else float(value)


def draw(info: Failures, ax: Axes) -> Axes:
    x = _jittered(info, 0)
    y = _jittered(info, 1) if len(info.scales) > 1 else np.zeros(len(x))
    labels = np.array([_label(*pair) for pair in zip(info.reasons, info.findings, strict=True)])
    for label in dict.fromkeys(["", *labels]):
        chosen = labels == label
        mark, look = _look(label)
        title = diagnoses.DIAGNOSES[label].title if label in diagnoses.DIAGNOSES else label or "trained"
        ax.plot(x[chosen], y[chosen], mark, ls="", label=f"{title} ({chosen.sum()})", **look)
    _scale_axis(info.scales[0], ax.xaxis, ax.set_xscale)
    if len(info.scales) > 1:
        _scale_axis(info.scales[1], ax.yaxis, ax.set_yscale)
    else:
        ax.set_yticks([])
    ax.margins(0.08)
    ax.legend(fontsize=7.5, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.13), ncols=3, borderaxespad=0)
    return style.label_axes(ax, info.scales[0].key, info.scales[1].key if len(info.scales) > 1 else "")


def _label(reason: str, findings: list[str]) -> str:
    """Return what a trial is drawn as: why it failed, else its first finding, else an empty text."""
    return reason or next(iter(findings), "")


def _look(label: str) -> tuple[str, dict[str, Any]]:
    """Return the mark of a label and how it is filled."""
    if not label:
        return "o", {"mfc": "none", "mec": style.MUTED}
    if label in diagnoses.DIAGNOSES:
        return FINDING_MARKS[list(diagnoses.DIAGNOSES).index(label)], {"mfc": style.DEFAULTS, "mec": "white", "ms": 7.5}
    return MARKS.get(label, "P"), {"mfc": style.FAILED, "mec": "white", "ms": 7.5}


def _jittered(info: Failures, axis: int) -> NDArray[np.float64]:
    values = np.array(info.points[axis])
    return style.jitter(values, 0.15, axis) if info.scales[axis].choices else values


def _scale_axis(scale: Scale, axis: Axis, rescale: Any) -> None:
    if scale.choices:
        axis.set_ticks(range(len(scale.choices)), scale.choices)
    elif scale.log:
        rescale("log")
        style.plain_log_ticks(axis)


def caption(infos: list[Failures]) -> str:
    (info,) = infos
    counts = Counter(reason for reason in info.reasons if reason)
    causes = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    start = f"{counts.total()} of {len(info.reasons)} trials failed{f' ({causes})' if causes else ''}."
    if totals := diagnoses.count_keys(key for findings in info.findings for key in findings):
        start += f" Findings: {diagnoses.describe_counts(totals)}."
    if not info.cut.side:
        return f"{start} No parameter separates them from the others."
    (bad, n), (rest, others) = info.cut.inside, info.cut.outside
    verb = "failed" if counts else "have a finding"
    return f"{start} The clearest cut: with {info.cut.side}, {bad} of {n} {verb}; of the other {others}, {rest}."

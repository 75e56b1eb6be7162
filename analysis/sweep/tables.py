"""The best of a sweep as a table for a paper: CSV, Markdown, LaTeX.

Where the best were proven the table is of the finalists: mean and interval on `test`, the paired difference to the pick
and its p; else it is of the search's own scores, and says so. CSV has every number in full; Markdown and LaTeX are
rounded, and set in bold the pick and those that are tied with it, which is all that can be claimed.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any, NamedTuple

import numpy as np

from analysis.base.formatting import format_value, metric_label
from analysis.base.paired_tests import interval
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep import final_results, final_results_text, ranking

FORMATS = ("csv", "markdown", "latex")
ESCAPES = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
ESCAPES |= {character: f"\\{character}" for character in "&%$#_{}"}


class Table(NamedTuple):
    """`heads` and `lines` in words; `bold` says which lines lead; `records` has every number in full."""

    caption: str
    heads: list[str]
    lines: list[list[str]]
    bold: list[bool]
    records: list[dict[str, Any]]


def write(sweep: Sweep, k: int | None, form: str) -> str:
    """The table in one of FORMATS, without a last line break. UserError where there is nothing to rank."""
    proof = final_results.load(sweep)
    table = _search_table(sweep, k) if proof is None else _finalist_table(sweep, proof)
    return {"csv": _csv, "markdown": _markdown, "latex": _latex}[form](table)


def _config(sweep: Sweep, number: int) -> dict[str, Any]:
    """The searched keys of a trial; of the defaults, where they were never trained, as the sweep has them."""
    config = results.read_trial(sweep, number).config or (sweep.manifest.defaults if number == 0 else {})
    return {key: config.get(key) for key in sweep.swept}


def _search_table(sweep: Sweep, k: int | None) -> Table:
    entries = ranking.top_entries(sweep, k)
    names = [metric_label(one.metric) for one in sweep.goal.objectives]
    records = [
        {
            "rank": entry["rank"],
            "trial": entry["number"],
            **entry["values"],
            "epoch": entry["best_epoch"],
            **_config(sweep, entry["number"]),
        }
        for entry in entries
    ]
    caption = (
        f"{_subject(sweep)}: the best {len(entries)} of {len(sweep.trials)} trials by {' and '.join(names)} on the "
        "validation split. These are scores of the search, from one training each; the best of many are optimistic. "
        f"{_stamp(sweep.manifest.stamp)}"
    )
    heads = ["trial", *names, "epoch", *sweep.swept]
    lines = [[format_value(value) for key, value in record.items() if key != "rank"] for record in records]
    return Table(caption, heads, lines, [entry["rank"] == 1 for entry in entries], records)


def _finalist_table(sweep: Sweep, proof: final_results.Final) -> Table:
    against = {one.number: one for one in proof.against}
    records, lines, bold = [], [], []
    for one in final_results.pick_first(sweep, proof):
        test = one.test[np.isfinite(one.test)]
        low, high = interval(test)
        other, config = against.get(one.number), _config(sweep, one.number)
        records.append({
            "trial": one.number, "defaults": one.number == 0, "seeds": len(test), "test_mean": _mean(test),
            "test_low": low, "test_high": high, "val_mean": _mean(one.val[np.isfinite(one.val)]), "search": one.search,
            "behind_pick": 0.0 if other is None else other.gain, "behind_low": None if other is None else other.low,
            "behind_high": None if other is None else other.high, "cohen_d": None if other is None else other.effect,
            "p_holm": None if other is None else other.p_holm, "tied": other is None or other.tied,
            "failed": one.failed, "collapsed": one.collapsed, "broke": one.broke, **config,
        })  # fmt: skip
        gap = "–" if other is None else f"{other.gain:+.3g}"
        p = "–" if other is None else f"{other.p_holm:.2g}"
        name = f"{one.number}{' (defaults)' if one.number == 0 else ''}"
        lines.append([name, final_results_text.format_mean_ci(one.test), gap, p, *map(format_value, config.values())])
        bold.append(other is None or other.tied)
    caption = (
        f"{_subject(sweep)}: {metric_label(sweep.metric)} on the test split, mean over {proof.content['seeds']} fresh "
        "seeds with its 95 % interval (studentised bootstrap); paired differences to the best, p by sign-flip "
        f"test and Holm. Bold: the best and those tied with it. {_stamp(proof.content['test_stamp'])}"
    )
    heads = ["trial", f"{metric_label(sweep.metric)} (test)", "difference", "p", *sweep.swept]
    return Table(caption, heads, lines, bold, records)


def _mean(scores: final_results.Scores) -> float:
    return float(scores.mean()) if len(scores) else float("nan")


def _subject(sweep: Sweep) -> str:
    return f"{sweep.manifest.model.upper()} on {sweep.manifest.dataset}"


def _stamp(stamp: dict[str, Any]) -> str:
    return "Measured with " + ", ".join(f"{key} {value}" for key, value in stamp.items()) + "."


def _csv(table: Table) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(table.records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table.records)
    return stream.getvalue().rstrip("\n")


def _markdown(table: Table) -> str:
    lines = [
        [f"**{cell}**" if leads and i < 2 else cell for i, cell in enumerate(line)]
        for line, leads in zip(table.lines, table.bold, strict=True)
    ]
    rows = [table.heads, ["---"] * len(table.heads), *lines]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), "", table.caption])


def _latex(table: Table) -> str:
    """A booktabs table. A number with an exponent is set as one."""
    lines = [
        " & ".join(rf"\textbf{{{_tex(cell)}}}" if leads and i < 2 else _tex(cell) for i, cell in enumerate(line))
        for line, leads in zip(table.lines, table.bold, strict=True)
    ]
    return "\n".join([
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{_tex(table.caption)}}}",
        rf"  \begin{{tabular}}{{l{'r' * (len(table.heads) - 1)}}}",
        r"    \toprule",
        "    " + " & ".join(map(_tex, table.heads)) + r" \\",
        r"    \midrule",
        *(rf"    {line} \\" for line in lines),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ])  # fmt: skip


def _tex(text: str) -> str:
    """A text with what LaTeX takes for its own escaped; 5e-05 becomes 5 times a power of ten, and a minus a minus."""
    escaped = "".join(ESCAPES.get(character, character) for character in text).replace("–", "--")
    powered = re.sub(r"(?<![\w.])(-?\d[\d.]*)e([+-]?\d+)\b", _power, escaped)
    return re.sub(r"(?<![\w$.{^-])([+-])(\d[\d.]*)(?![\w.}])", r"$\1\2$", powered)


def _power(found: re.Match[str]) -> str:
    return rf"${found[1]} \times 10^{{{int(found[2])}}}$"

"""Write the best trials of a sweep as a table for a paper: CSV, Markdown or LaTeX.

If the sweep is finalized, the table shows the finalists: mean and interval on `test`, the paired difference to the pick
and its p. Otherwise it shows the scores of the search, and says so. CSV has every number in full. Markdown and LaTeX
round the numbers, and print the pick and the finalists that are tied with it in bold, since only this can be claimed.
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
    """A table: `heads` and `lines` are text, `bold` marks the leading lines, `records` has every number in full."""

    caption: str
    heads: list[str]
    lines: list[list[str]]
    bold: list[bool]
    records: list[dict[str, Any]]


def write(sweep: Sweep, k: int | None, form: str) -> str:
    """Return the table in one of FORMATS, without a line break at its end; raise UserError if no trial can win."""
    proof = final_results.load(sweep)
    table = _search_table(sweep, k) if proof is None else _finalist_table(sweep, proof)
    return {"csv": _csv, "markdown": _markdown, "latex": _latex}[form](table)


def _config(sweep: Sweep, number: int) -> dict[str, Any]:
    """Return the searched keys of a trial; if the defaults were never trained, take them from the manifest."""
    config = results.read_trial(sweep, number).config or (sweep.manifest.defaults if number == 0 else {})
    return {key: config.get(key) for key in sweep.swept}


def _search_table(sweep: Sweep, k: int | None) -> Table:
    entries = ranking.top_entries(sweep, k)
    names = [metric_label(objective.metric) for objective in sweep.goal.objectives]
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
    against = {result.number: result for result in proof.against}
    records, lines, bold = [], [], []
    for finalist in final_results.pick_first(sweep, proof):
        test = finalist.test[np.isfinite(finalist.test)]
        low, high = interval(test)
        other, config = against.get(finalist.number), _config(sweep, finalist.number)
        records.append({
            "trial": finalist.number, "defaults": finalist.number == 0, "seeds": len(test),
            "test_mean": final_results.mean_of_known(test), "test_low": low, "test_high": high,
            "val_mean": final_results.mean_of_known(finalist.val), "search": finalist.search,
            "behind_pick": 0.0 if other is None else other.gain, "behind_low": None if other is None else other.low,
            "behind_high": None if other is None else other.high, "cohen_d": None if other is None else other.effect,
            "p_holm": None if other is None else other.p_holm, "tied": other is None or other.tied,
            "failed": finalist.failed, "collapsed": finalist.collapsed, "broke": finalist.broke, **config,
        })  # fmt: skip
        gap = "–" if other is None else f"{other.gain:+.3g}"
        p = "–" if other is None else f"{other.p_holm:.2g}"
        name = f"{finalist.number}{' (defaults)' if finalist.number == 0 else ''}"
        mean = final_results_text.format_mean_ci(finalist.test)
        lines.append([name, mean, gap, p, *map(format_value, config.values())])
        bold.append(other is None or other.tied)
    caption = (
        f"{_subject(sweep)}: {metric_label(sweep.metric)} {final_results.where_measured(sweep)}, mean over "
        f"{proof.content['seeds']} fresh seeds with its 95 % interval (studentised bootstrap); paired differences to "
        f"the best, p by sign-flip test and Holm. Bold: the best and those tied with it. "
        f"{_stamp(proof.content['test_stamp'])}"
    )
    heads = ["trial", f"{metric_label(sweep.metric)} (test)", "difference", "p", *sweep.swept]
    return Table(caption, heads, lines, bold, records)


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
    """Return a booktabs table. A number such as 5e-05 is written as a power of ten."""
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
    """Return a text for LaTeX: special characters escaped, 5e-05 as 5 times a power of ten, and signs in math mode."""
    escaped = "".join(ESCAPES.get(character, character) for character in text).replace("–", "--")
    powered = re.sub(r"(?<![\w.])(-?\d[\d.]*)e([+-]?\d+)\b", _power, escaped)
    return re.sub(r"(?<![\w$.{^-])([+-])(\d[\d.]*)(?![\w.}])", r"$\1\2$", powered)


def _power(number: re.Match[str]) -> str:
    return rf"${number[1]} \times 10^{{{int(number[2])}}}$"

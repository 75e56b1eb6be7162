"""The page of a study: the question, the verdict on each claim, the table of arms, the pictures, and how it was made.

Written twice from the same numbers: one HTML page that needs nothing else, in the study's `report/`, and a Markdown
page with its pictures beside it, for a folder of documents.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.base.formatting import format_value
from analysis.base.image_sheets import data_uri
from analysis.base.templates import load_template
from analysis.study import claims, study_results, trial_statistics
from analysis.study.claims import Verdict
from analysis.study.figures.registry import RenderedFigure, render_figure
from analysis.study.study_results import Arm, Study
from trainables import filestore
from trainables.errors import UserError
from trainables.filestore import Directory


def write(directories: Sequence[str | Path], out: str | Path | None = None) -> list[str]:
    """Writes the HTML page of each study into its `report/`, or, with `out`, the Markdown pages `out`/NAME.md with
    their pictures in `out`/NAME/ and their rows in an index, `out`/README.md; returns the paths of the pages.

    UserError where a directory is no study, or an arm is still to train; nothing is written then.
    """
    studies = [study_results.load(directory) for directory in directories]
    for one in studies:
        for arm in one.arms.values():
            _refuse_unfinished(arm)
    if out is None:
        return [_write_html(one) for one in studies]
    target = filestore.open_directory(out)
    pages = [_write_markdown(one, target) for one in studies]
    rows = _index_rows(target)
    for one, told in zip(studies, pages, strict=True):
        name, question = one.meta["name"], one.meta["question"]
        rows[name] = f"| [{name}]({name}.md) | {question} | {told['summary']} | {told['minutes']} |"
    target.write("README.md", load_template("studies.md", trim_blocks=True).render(rows=rows.values()).encode())
    return [f"{target.name.rstrip('/')}/{one.meta['name']}.md" for one in studies]


def _index_rows(target: filestore.Directory) -> dict[str, str]:
    """The rows of the index that is there, by study: those of other studies stay."""
    lines = target.read("README.md").decode().splitlines() if target.has("README.md") else []
    return {line[3:].partition("]")[0]: line for line in lines if line.startswith("| [")}


def _write_html(one: Study) -> str:
    pictures, home = _render_pictures(one), filestore.open_directory(f"{one.place.name.rstrip('/')}/report")
    shown = [(drawn, data_uri(drawn.png)) for drawn in pictures.values()]
    home.write("index.html", load_template("study.html").render(**page_context(one), pictures=shown).encode())
    for name, drawn in pictures.items():
        home.write(f"{name}.png", drawn.png)
    return f"{home.name}/index.html"


def _write_markdown(one: Study, target: Directory) -> dict[str, Any]:
    pictures, name, told = _render_pictures(one), one.meta["name"], page_context(one)
    links = [(drawn, f"{name}/{picture}.png") for picture, drawn in pictures.items()]
    target.write(f"{name}.md", load_template("study.md", trim_blocks=True).render(**told, pictures=links).encode())
    for picture, drawn in pictures.items():
        target.write(f"{name}/{picture}.png", drawn.png)
    return told


def page_context(found: Study) -> dict[str, Any]:
    """All that the page says, but for the pictures."""
    meta = found.meta
    weighed = claims.decide_claims(found)
    stamps = {arm.sweep.manifest.dataset: arm.sweep.manifest.stamp for arm in found.arms.values()}
    return {
        "meta": meta,
        "scope": meta.get("scope", ""),
        "summary": count_verdicts(weighed),
        "claims": [claim_row(one) for one in weighed],
        "report": [report_sentence(one) for one in weighed if one.claim["reported"]],
        "heads": [trial_statistics.statistic_label(key) for key in meta["table"]],
        "epochs": epoch_note(meta["table"]),
        "arms": [arm_row(arm, meta["table"]) for arm in found.arms.values()],
        "configs": config_texts(list(found.arms.values())),
        "command": shlex.join(meta["command"]),
        "minutes": f"{found.wall_s / 60:.1f}",
        "load": machine_load(meta["launches"]),
        "data": sorted({describe_data(arm) for arm in found.arms.values()}),
        "stamps": stamps,
    }


def machine_load(launches: Sequence[dict[str, Any]]) -> str:
    """How busy the machine was as each launch began, where that is known."""
    known = [f"{launch['load']} on {launch['cores']} cores" for launch in launches if "load" in launch]
    return f" (load as it began: {', '.join(known)})" if known else ""


def count_verdicts(weighed: Sequence[Verdict]) -> str:
    """The verdicts counted: `2 supported, 1 undecided`."""
    words = ("supported", "not supported", "undecided")
    counts = [(sum(one.word == word for one in weighed), word) for word in words]
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def report_sentence(one: Verdict) -> str:
    """Return the verdict on a claim that the report makes of this very arm."""
    return f"Said in the report, and {one.word} here: {one.claim['says']}."


def claim_row(one: Verdict) -> dict[str, str]:
    """One claim as the page tells it."""
    said, against = one.claim, one.claim["against"]
    other = against if isinstance(against, str) else f"the constant {format_value(float(against))}"
    ends = "no interval" if math.isnan(one.low) else f"[{one.low:+.3g}, {one.high:+.3g}]"
    return {
        "says": said["says"],
        "word": one.word,
        "test": f"{trial_statistics.statistic_label(said['statistic'])} of {said['arm']} {said['way']} than {other}",
        "means": f"{format_value(one.arm)} against {format_value(one.against)}",
        "difference": "–" if not one.n else f"{one.difference:+.3g} {ends}",
        "p": f"{one.p:.3g}" if one.n else "–",
        "p_holm": f"{one.p_holm:.3g}" if one.n else "–",
        "n": str(one.n),
    }


def arm_row(arm: Arm, statistics: Sequence[str]) -> dict[str, Any]:
    """One arm in the table: the mean of each statistic over the seeds, with the lowest and the highest."""
    n, rows = len(arm.trials), [row for trial in arm.trials if (row := arm.row(trial)) is not None]
    narrow = sum(bool(row.get("narrow")) for row in rows)
    return {
        "name": arm.name,
        "note": arm.note + (f"; picked by a search of {arm.searched} trials" if arm.searched else ""),
        "seeds": (f"{len(rows)} of {n}" if len(rows) < n else str(n)) + (f", {narrow} collapsed" if narrow else ""),
        "cells": [format_cell(arm.values(key)) for key in statistics],
    }


def epoch_note(statistics: Sequence[str]) -> str:
    """Which epoch each value is of; nothing where all are of the last."""
    chosen = [
        trial_statistics.statistic_label(key)
        for key in statistics
        if key.partition(":")[0] in trial_statistics.FROM_NETS
    ]
    if not chosen:
        return ""
    return (
        f" {', '.join(chosen)}: of the epoch that val chose, for which a collapsed one does not count; all else is of "
        "the last epoch, where `collapsed` counts the seeds that drew near copies or few classes."
    )


def format_cell(values: Any) -> str:
    known = values[np.isfinite(values)]
    if not len(known):
        return "–"
    return f"{format_value(float(known.mean()))} ({known.min():.3g} to {known.max():.3g})"


def config_texts(arms: Sequence[Arm]) -> dict[str, Any]:
    """What the arms share, and what each has of its own, by key."""
    told = {
        arm.name: {"model": arm.sweep.manifest.model, "dataset": arm.sweep.manifest.dataset, **_config(arm)}
        for arm in arms
    }
    keys = list(dict.fromkeys(key for config in told.values() for key in config))
    nothing = object()
    common = [key for key in keys if len({str(config.get(key, nothing)) for config in told.values()}) == 1]
    shared = {key: next(iter(told.values()))[key] for key in common}
    own = {name: {key: value for key, value in config.items() if key not in common} for name, config in told.items()}
    return {"shared": _config_text(shared), "own": {name: _config_text(config) for name, config in own.items()}}


def _config(arm: Arm) -> dict[str, Any]:
    return arm.trials[0].config | ({"looked at epoch": arm.at} if arm.at else {})


def _config_text(config: dict[str, Any]) -> str:
    return ", ".join(f"{key}={format_value(value)}" for key, value in config.items())


def describe_data(arm: Arm) -> str:
    about = arm.sweep.manifest.data
    return f"{arm.sweep.manifest.dataset}: {about.n_train:,} training images, {about.n_val:,} held out to measure on"


def _render_pictures(found: Study) -> dict[str, RenderedFigure]:
    """The study's pictures by file name; one that lost its weights or images is left out."""
    drawn: dict[str, RenderedFigure] = {}
    for name, arms in found.meta["pictures"].items():
        try:
            picture = render_figure(name, found.shown(arms))
        except UserError:
            continue
        if picture is not None:
            drawn[name.replace(":", "_").replace(",", "_")] = picture
    return drawn


def _refuse_unfinished(arm: Arm) -> None:
    asked, there = arm.sweep.manifest.trials, arm.sweep.trials["state"].isin(["complete", "pruned", "failed"]).sum()
    if there < asked:
        raise UserError(f"arm {arm.name!r} has {there} of {asked} trainings: type the study's command again to go on")

"""Write the page of a study: question, verdict on each claim, table of arms, pictures, and how it was made.

The page has two forms with the same numbers. One is a single HTML file in the study's `report/`, which needs no other
file. The other is a Markdown file for a folder of documents, with its pictures in a folder beside it.
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
    """Write the page of each study and return the paths of the pages.

    Without `out`, the HTML page goes to the `report/` of its study. With `out`, the Markdown pages are `out`/NAME.md,
    their pictures go to `out`/NAME/, and each study gets a row in the index `out`/README.md.

    Raises:
        UserError: a directory is not a study, or an arm is not trained to the end. Nothing is written then.
    """
    studies = [study_results.load(directory) for directory in directories]
    for study in studies:
        for arm in study.arms.values():
            _refuse_unfinished(arm)
    if out is None:
        return [_write_html(study) for study in studies]
    target = filestore.open_directory(out)
    pages = [_write_markdown(study, target) for study in studies]
    rows = _index_rows(target)
    for study, context in zip(studies, pages, strict=True):
        name, question = study.description["name"], study.description["question"]
        rows[name] = f"| [{name}]({name}.md) | {question} | {context['summary']} | {context['minutes']} |"
    target.write("README.md", load_template("studies.md", trim_blocks=True).render(rows=rows.values()).encode())
    return [f"{target.name.rstrip('/')}/{study.description['name']}.md" for study in studies]


def _index_rows(target: filestore.Directory) -> dict[str, str]:
    """Return the rows of the index so far, by study. Rows of other studies stay as they are."""
    lines = target.read("README.md").decode().splitlines() if target.has("README.md") else []
    return {line[3:].partition("]")[0]: line for line in lines if line.startswith("| [")}


def _write_html(study: Study) -> str:
    pictures, home = _render_pictures(study), filestore.open_directory(f"{study.place.name.rstrip('/')}/report")
    shown = [(picture, data_uri(picture.png)) for picture in pictures.values()]
    home.write("index.html", load_template("study.html").render(**page_context(study), pictures=shown).encode())
    for name, picture in pictures.items():
        home.write(f"{name}.png", picture.png)
    return f"{home.name}/index.html"


def _write_markdown(study: Study, target: Directory) -> dict[str, Any]:
    pictures, name, context = _render_pictures(study), study.description["name"], page_context(study)
    links = [(figure, f"{name}/{picture}.png") for picture, figure in pictures.items()]
    target.write(f"{name}.md", load_template("study.md", trim_blocks=True).render(**context, pictures=links).encode())
    for picture, figure in pictures.items():
        target.write(f"{name}/{picture}.png", figure.png)
    return context


def page_context(study: Study) -> dict[str, Any]:
    """Return everything that the page shows, except the pictures."""
    description = study.description
    verdicts = claims.decide_claims(study)
    stamps = {arm.sweep.manifest.dataset: arm.sweep.manifest.stamp for arm in study.arms.values()}
    return {
        "study": description,
        "scope": description.get("scope", ""),
        "summary": count_verdicts(verdicts),
        "claims": [claim_row(verdict) for verdict in verdicts],
        "report": [report_sentence(verdict) for verdict in verdicts if verdict.claim["reported"]],
        "heads": [trial_statistics.statistic_label(key) for key in description["table"]],
        "epochs": epoch_note(description["table"]),
        "arms": [arm_row(arm, description["table"]) for arm in study.arms.values()],
        "configs": config_texts(list(study.arms.values())),
        "command": shlex.join(description["command"]),
        "minutes": f"{study.wall_s / 60:.1f}",
        "load": machine_load(description["launches"]),
        "data": sorted({describe_data(arm) for arm in study.arms.values()}),
        "stamps": stamps,
    }


def machine_load(launches: Sequence[dict[str, Any]]) -> str:
    """Return how busy the machine was when each launch began; empty if no launch recorded it."""
    known = [f"{launch['load']} on {launch['cores']} cores" for launch in launches if "load" in launch]
    return f" (load as it began: {', '.join(known)})" if known else ""


def count_verdicts(verdicts: Sequence[Verdict]) -> str:
    """Count the verdicts: `2 supported, 1 undecided`."""
    words = ("supported", "not supported", "undecided", "untested")
    counts = [(sum(verdict.word == word for verdict in verdicts), word) for word in words]
    return ", ".join(f"{count} {word}" for count, word in counts if count) or "none: a table to choose from"


def report_sentence(verdict: Verdict) -> str:
    """Return a sentence with the verdict on a claim that the original report makes of this arm."""
    return f"The report says: {verdict.claim['reported']}. Here: {verdict.claim['says']}: {verdict.word}."


def claim_row(verdict: Verdict) -> dict[str, str]:
    """Return one claim as texts for the page."""
    ends = "no interval" if math.isnan(verdict.low) else f"[{verdict.low:+.3g}, {verdict.high:+.3g}]"
    return {
        "says": verdict.claim["says"],
        "word": verdict.word + (f" ({verdict.why})" if verdict.why else ""),
        "test": test_text(verdict),
        "means": f"{format_value(verdict.arm)} against {format_value(verdict.against)}" if verdict.n else "–",
        "difference": f"{verdict.difference:+.3g} {ends}" if verdict.n else "–",
        "p": "–" if math.isnan(verdict.p) else f"{verdict.p:.3g}",
        "p_holm": "–" if math.isnan(verdict.p) else f"{verdict.p_holm:.3g}",
        "n": str(verdict.n),
    }


def test_text(verdict: Verdict) -> str:
    """Return what a claim compares: `FID of beta1 lower than baseline`."""
    claim, rival = verdict.claim, verdict.rival
    other = rival if isinstance(rival, str) else f"the constant {format_value(float(rival))}"
    if claim["against_statistic"]:
        other = f"{trial_statistics.statistic_label(claim['against_statistic'])} of {other}"
    if isinstance(claim["against"], list):
        other = f"each of {', '.join(claim['against'])}; closest: {other}"
    what = f"{trial_statistics.statistic_label(claim['statistic'])} of {claim['arm']}"
    if claim["way"] == "equal":
        return f"{what} within {claim['margin']:.0%} of {other} (difference: log ratio)"
    margin = f" {'plus' if claim['way'] == 'lower' else 'minus'} {claim['margin']:g}" if claim["margin"] else ""
    return f"{what} {claim['way']} than {other}{margin}"


def arm_row(arm: Arm, statistics: Sequence[str]) -> dict[str, Any]:
    """Return the row of one arm: the mean of each statistic over the seeds, with the lowest and the highest."""
    n, rows = len(arm.trials), [row for trial in arm.trials if (row := arm.row(trial)) is not None]
    narrow = sum(bool(row.get("narrow")) for row in rows)
    return {
        "name": arm.name,
        "note": arm.note + (f"; picked by a search of {arm.searched} trials" if arm.searched else ""),
        "seeds": (f"{len(rows)} of {n}" if len(rows) < n else str(n)) + (f", {narrow} collapsed" if narrow else ""),
        "cells": [format_cell(arm.values(key)) for key in statistics],
    }


def epoch_note(statistics: Sequence[str]) -> str:
    """Return a note on the epoch of each value; empty if every value is from the last epoch."""
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
    """Return the mean of the finite values, with the lowest and the highest."""
    known = values[np.isfinite(values)]
    if not len(known):
        return "–"
    return f"{format_value(float(known.mean()))} ({known.min():.3g} to {known.max():.3g})"


def config_texts(arms: Sequence[Arm]) -> dict[str, Any]:
    """Return the configuration that all arms share, and by arm the rest of its configuration."""
    configs = {
        arm.name: {"model": arm.sweep.manifest.model, "dataset": arm.sweep.manifest.dataset, **_config(arm)}
        for arm in arms
    }
    keys = list(dict.fromkeys(key for config in configs.values() for key in config))
    nothing = object()
    common = [key for key in keys if len({str(config.get(key, nothing)) for config in configs.values()}) == 1]
    shared = {key: next(iter(configs.values()))[key] for key in common}
    differing = {
        name: {key: value for key, value in config.items() if key not in common} for name, config in configs.items()
    }
    return {
        "shared": _config_text(shared),
        "differing": {name: _config_text(config) for name, config in differing.items()},
    }


def _config(arm: Arm) -> dict[str, Any]:
    return arm.trials[0].config | ({"looked at epoch": arm.epoch} if arm.epoch else {})


def _config_text(config: dict[str, Any]) -> str:
    return ", ".join(f"{key}={format_value(value)}" for key, value in config.items())


def describe_data(arm: Arm) -> str:
    """Return the data set of an arm and its numbers of images."""
    about = arm.sweep.manifest.data
    return f"{arm.sweep.manifest.dataset}: {about.n_train:,} training images, {about.n_val:,} held out to measure on"


def _render_pictures(study: Study) -> dict[str, RenderedFigure]:
    """Return the pictures of the study by file name, without those whose weights or images are lost."""
    rendered: dict[str, RenderedFigure] = {}
    for name, arms in study.description["pictures"].items():
        try:
            picture = render_figure(name, study.shown(arms))
        except UserError:
            continue
        if picture is not None:
            rendered[name.replace(":", "_").replace(",", "_")] = picture
    return rendered


def _refuse_unfinished(arm: Arm) -> None:
    planned, ended = arm.sweep.manifest.trials, arm.sweep.trials["state"].isin(["complete", "pruned", "failed"]).sum()
    if ended < planned:
        raise UserError(f"arm {arm.name!r} has {ended} of {planned} trainings: type the study's command again to go on")

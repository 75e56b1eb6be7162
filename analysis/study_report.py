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
from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis import place, quantities, study, verdicts
from analysis.figures.arms import Drawn, draw
from analysis.paired import interval
from analysis.report import uri
from analysis.study import Arm, Study
from analysis.verdicts import Verdict
from analysis.words import short
from trainables.errors import BadInput


def write(directory: str | Path, out: str | Path | None = None) -> str:
    """Writes the HTML page, and with `out` also `out`/NAME.md with its pictures in `out`/NAME/; returns the page's
    path.

    BadInput where the directory is no study, or an arm is still to train.
    """
    found = study.load(directory)
    for arm in found.arms.values():
        _refuse_unfinished(arm)
    told = {**page(found), "short": short}
    pictures = _pictures(found)
    kept = Environment(loader=PackageLoader("analysis", ""), trim_blocks=True, undefined=StrictUndefined)
    home = place.at(f"{found.place.name.rstrip('/')}/report")
    html = Environment(loader=PackageLoader("analysis", ""), autoescape=True, undefined=StrictUndefined)
    shown = [(drawn, uri(drawn.png)) for drawn in pictures.values()]
    home.write("index.html", html.get_template("study.html").render(**told, pictures=shown).encode())
    for name, drawn in pictures.items():
        home.write(f"{name}.png", drawn.png)
    if out is None:
        return f"{home.name}/index.html"
    name, target = found.meta["name"], place.at(out)
    links = [(drawn, f"{name}/{picture}.png") for picture, drawn in pictures.items()]
    target.write(f"{name}.md", kept.get_template("study.md").render(**told, pictures=links).encode())
    for picture, drawn in pictures.items():
        target.write(f"{name}/{picture}.png", drawn.png)
    return f"{target.name.rstrip('/')}/{name}.md"


def page(found: Study) -> dict[str, Any]:
    """All that the page says, but for the pictures."""
    meta = found.meta
    weighed = verdicts.verdicts(found)
    stamps = {arm.sweep.meta["dataset"]: arm.sweep.meta["stamp"] for arm in found.arms.values()}
    return {
        "meta": meta,
        "summary": summary(weighed),
        "claims": [claim(one) for one in weighed],
        "heads": [quantities.named(key) for key in meta["table"]],
        "arms": [line(arm, meta["table"]) for arm in found.arms.values()],
        "configs": configs(list(found.arms.values())),
        "command": shlex.join(meta["command"]),
        "minutes": f"{found.wall_s / 60:.1f}",
        "launches": len(meta["launches"]),
        "data": sorted({data_line(arm) for arm in found.arms.values()}),
        "stamps": stamps,
    }


def summary(weighed: Sequence[Verdict]) -> str:
    """The verdicts counted: `2 supported, 1 undecided`."""
    words = ("supported", "not supported", "undecided")
    counts = [(sum(one.word == word for one in weighed), word) for word in words]
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def claim(one: Verdict) -> dict[str, str]:
    """One claim as the page tells it."""
    said, against = one.claim, one.claim["against"]
    other = against if isinstance(against, str) else f"the constant {short(float(against))}"
    ends = "no interval" if math.isnan(one.low) else f"[{one.low:+.3g}, {one.high:+.3g}]"
    return {
        "says": said["says"],
        "word": one.word,
        "test": f"{quantities.named(said['statistic'])} of {said['arm']} {said['way']} than {other}",
        "means": f"{short(one.arm)} against {short(one.against)}",
        "difference": "–" if not one.n else f"{one.difference:+.3g} {ends}",
        "p": f"{one.p:.3g}" if one.n else "–",
        "p_holm": f"{one.p_holm:.3g}" if one.n else "–",
        "n": str(one.n),
    }


def line(arm: Arm, statistics: Sequence[str]) -> dict[str, Any]:
    """One arm in the table: the mean of each statistic over the seeds, with its interval."""
    n = len(arm.trials)
    lost = sum(arm.row(trial) is None for trial in arm.trials)
    return {
        "name": arm.name,
        "note": arm.note + (f"; picked by a search of {arm.searched} trials" if arm.searched else ""),
        "seeds": f"{n - lost} of {n}" if lost else str(n),
        "cells": [cell(arm.values(key)) for key in statistics],
    }


def cell(values: Any) -> str:
    known = values[np.isfinite(values)]
    if not len(known):
        return "–"
    low, high = interval(known)
    return short(float(known.mean())) + ("" if math.isnan(low) else f" [{low:.4g}, {high:.4g}]")


def configs(arms: Sequence[Arm]) -> dict[str, Any]:
    """What the arms share, and what each has of its own, by key."""
    told = {
        arm.name: {"model": arm.sweep.meta["model"], "dataset": arm.sweep.meta["dataset"], **_config(arm)}
        for arm in arms
    }
    keys = list(dict.fromkeys(key for config in told.values() for key in config))
    nothing = object()
    common = [key for key in keys if len({str(config.get(key, nothing)) for config in told.values()}) == 1]
    shared = {key: next(iter(told.values()))[key] for key in common}
    own = {name: {key: value for key, value in config.items() if key not in common} for name, config in told.items()}
    return {"shared": _words(shared), "own": {name: _words(config) for name, config in own.items()}}


def _config(arm: Arm) -> dict[str, Any]:
    return arm.trials[0].config | ({"looked at epoch": arm.at} if arm.at else {})


def _words(config: dict[str, Any]) -> str:
    return ", ".join(f"{key}={short(value)}" for key, value in config.items())


def data_line(arm: Arm) -> str:
    about = arm.sweep.meta["data"]
    return (
        f"{arm.sweep.meta['dataset']}: {about['n_train']:,} training images, {about['n_val']:,} held out to measure on"
    )


def _pictures(found: Study) -> dict[str, Drawn]:
    """The study's pictures by file name; one that lost its weights or images is left out."""
    drawn: dict[str, Drawn] = {}
    for name, arms in found.meta["pictures"].items():
        try:
            picture = draw(name, found.shown(arms))
        except BadInput:
            continue
        if picture is not None:
            drawn[name.replace(":", "_").replace(",", "_")] = picture
    return drawn


def _refuse_unfinished(arm: Arm) -> None:
    asked, there = arm.sweep.meta["trials"], arm.sweep.trials["state"].isin(["complete", "pruned", "failed"]).sum()
    if there < asked:
        raise BadInput(f"arm {arm.name!r} has {there} of {asked} trainings: type the study's command again to go on")

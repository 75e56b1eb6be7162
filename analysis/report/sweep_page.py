"""The report: one HTML page that needs nothing else, and its pictures as PNG files beside it.

The verdict first and how far it can be trusted, with the commands that would tell more; the winner with its picture;
then the evidence; then every trial; then how it was made. Images are data URIs, and the page forbids itself any
request.
"""

from __future__ import annotations

import base64
import math
import shlex
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.base import image_sheets
from analysis.base.formatting import named, short, state
from analysis.compare.equal_budget import stamp
from analysis.figures import FIGURES, sample_grids
from analysis.figures import draw as draw_figure
from analysis.figures.best_vs_budget import together
from analysis.figures.sample_grids import Strip
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep import advice, commands, final_results, pareto, ranking, status, trial_metrics
from trainables import filestore
from trainables.errors import UserError

TOP = 6  # configurations in the comparison grid
WAY = {"min": "lower", "max": "higher"}
OPEN_ROWS = 60  # a longer table of trials starts folded


def write(directories: list[str | Path], out: str | Path | None = None) -> str:
    """Writes `index.html` and the PNGs for one sweep or several and returns the page's path.

    They go to `out`, or to `report/` in the sweep; for several, to `report/` beside the first. UserError where a
    directory is no sweep or has nothing to show, before anything is written.
    """
    if not directories:
        raise UserError("name at least one sweep to report on")
    sweeps = [results.read(results.load(directory)) for directory in directories]
    for sweep in sweeps:
        ranking.ranked(sweep)  # refuses a sweep without a winner before any is drawn
    files: dict[str, bytes] = {}
    sections = [section(sweep, files, f"{sweep.meta['name']}_" if len(sweeps) > 1 else "") for sweep in sweeps]
    page = Environment(loader=PackageLoader("analysis", "templates"), autoescape=True, undefined=StrictUndefined)
    compared = comparison(sweeps) if len(sweeps) > 1 else None
    if compared and compared["alike"]:
        for panel in together(sweeps):
            files[f"budget_{panel.key}.png"] = draw_figure("budget", panel)
            compared["images"].append(uri(files[f"budget_{panel.key}.png"]))
    html = page.get_template("report.html").render(sections=sections, compared=compared, short=short)
    target = filestore.open_directory(out if out is not None else _home(sweeps))
    for name, content in (files | {"index.html": html.encode()}).items():
        target.write(name, content)
    return f"{target.name.rstrip('/')}/index.html"


def section(sweep: Sweep, files: dict[str, bytes], prefix: str) -> dict[str, Any]:
    """All that the page says of one sweep; the pictures are put into `files` by name as well."""
    meta, proof = sweep.meta, final_results.load(sweep)
    lead = ranking.lead(sweep, None if proof is None else proof.pick.number)

    def keep(name: str, content: bytes) -> str:
        files[f"{prefix}{name}.png"] = content
        return uri(content)

    strips = sample_grids.comparison(sweep, TOP)
    epochs = sample_grids.first_last(sweep, lead["number"])
    drawn = sample_grids.batch(sweep, lead["number"], lead["best_epoch"])
    picture = image_sheets.sheet(drawn, sample_grids.ACROSS, sample_grids.gap(drawn))
    keep("grid", sample_grids.draw(strips))
    keep("epochs", sample_grids.draw(epochs))
    return {
        "meta": meta,
        "metric": named(sweep.metric),
        "state": status.summary(sweep),
        "lead": lead,
        "crown": "The winner" if proof is not None else _crown(sweep),
        "goals": [{"name": named(one.metric), "way": WAY[one.mode]} for one in sweep.goal.objectives],
        "limits": " and ".join(map(str, sweep.goal.constraints)),
        "front": _front(sweep),
        "verdict": advice.verdict(sweep, proof),
        "trust": [{"text": point.text, "command": _groups(point.command)} for point in advice.points(sweep, proof)],
        "proof": None if proof is None else final_results.told(sweep, proof),
        "picture": keep("winner", image_sheets.png(picture)),
        "drawn": _drawn(sweep),
        "command": _groups(commands.trial(sweep, lead["number"], lead["config"])),
        "swept": sweep.swept,
        "parameters": parameters(sweep, lead["config"]),
        "measured": trial_metrics.lines(sweep, lead["number"]),
        "strips": [_strip(strip) for strip in strips],
        "real": len(strips) > 0 and strips[0].title == sample_grids.REAL,
        "columns": sample_grids.columns(sweep),
        "epochs": [_strip(strip) for strip in epochs],
        "figures": [shown for name in FIGURES if (shown := _figure(sweep, name, keep))],
        "trials": table(sweep),
        "open": len(sweep.trials) <= OPEN_ROWS,
        "made": _groups(meta["command"]),
    }


def parameters(sweep: Sweep, config: dict[str, Any]) -> list[dict[str, Any]]:
    """The winner's parameters beside the defaults, swept ones first."""
    defaults = sweep.meta["defaults"]
    keys = sorted(config, key=lambda key: (key not in sweep.swept, list(config).index(key)))
    return [
        {
            "key": key,
            "value": short(config[key]),
            "default": short(defaults.get(key)),  # the defaults may not have a conditional key
            "changed": key not in defaults or config[key] != defaults[key],
            "swept": key in sweep.swept,
        }
        for key in keys
    ]


def table(sweep: Sweep) -> list[dict[str, Any]]:
    """Every trial for the page, ranked ones first, then the others by number."""
    order = {number: rank for rank, number in enumerate(ranking.ranked(sweep)["number"].tolist())}
    scored = set(ranking.scored(sweep)["number"])
    lines = sweep.trials.to_dict("records")
    lines.sort(key=lambda line: (order.get(line["number"], len(order)), line["number"]))
    return [
        {
            "number": line["number"],
            "state": state(line["state"]),
            "why": ": ".join(str(line[key]) for key in ("reason", "error") if isinstance(line[key], str))
            or (f"breaks {ranking.breaks(sweep, line['number'])}" if line["number"] in scored - order.keys() else ""),
            "values": [
                short(sweep.scores[line["number"]][one.metric]) if line["number"] in scored else "–"
                for one in sweep.goal.objectives
            ],
            "epoch": f"{short(line['best_epoch'])} of {short(line['epochs_done'])}"
            if line["number"] in scored
            else "–",
            "wall_s": "–" if math.isnan(line["wall_s"]) else f"{line['wall_s']:.1f}",
            "config": [short(line.get(key)) for key in sweep.swept],
        }
        for line in lines
    ]


def _crown(sweep: Sweep) -> str:
    """What to call the first of the winners."""
    return "The winner" if len(sweep.goal.objectives) == 1 else f"Best {named(sweep.metric)} on the front"


def _front(sweep: Sweep) -> list[dict[str, Any]]:
    """The front as a table of words; empty where there is one objective."""
    if len(sweep.goal.objectives) == 1:
        return []
    return [
        {
            "number": entry["number"],
            "state": state(entry["state"]),
            "values": [short(value) for value in entry["values"].values()],
            "epoch": entry["best_epoch"],
            "changed": pareto.changed(sweep, entry["number"], entry["config"]),
        }
        for entry in ranking.top(sweep)
    ]


def comparison(sweeps: list[Sweep]) -> dict[str, Any]:
    """The winners of several sweeps, and whether their scores may be compared at all."""
    lines = []
    for sweep in sweeps:
        lead, margin = ranking.top(sweep, 1)[0], ranking.margin(sweep)
        lines.append({
            "name": sweep.meta["name"], "model": sweep.meta["model"], "dataset": sweep.meta["dataset"],
            "metric": named(sweep.metric), "value": short(lead["value"]), "trial": lead["number"],
            "default": short(margin.default if margin else None), "trials": len(sweep.trials),
            "detail": ", ".join(f"{key} {short(lead['config'][key])}" for key in sweep.swept if key in lead["config"]),
        })  # fmt: skip
    return {
        "lines": lines,
        "alike": len({(sweep.metric, *stamp(sweep).values()) for sweep in sweeps}) == 1,
        "images": [],
    }


def uri(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def _home(sweeps: list[Sweep]) -> str:
    first = sweeps[0].place.name.rstrip("/")
    return f"{first}/report" if len(sweeps) == 1 else f"{first.rpartition('/')[0] or '.'}/report"


def _groups(words: list[str]) -> list[str]:
    """A command in pieces that should not be broken: each flag with its value."""
    groups: list[str] = []
    for word in map(shlex.quote, words):
        if groups and not word.startswith("-") and groups[-1].startswith("-") and " " not in groups[-1]:
            groups[-1] += f" {word}"
        else:
            groups.append(word)
    return groups


def _strip(strip: Strip) -> dict[str, str]:
    image = uri(image_sheets.png(image_sheets.sheet(strip.images, sample_grids.ACROSS, sample_grids.gap(strip.images))))
    return {"title": strip.title, "detail": strip.detail, "image": image}


def _drawn(sweep: Sweep) -> str:
    if sweep.meta["model"] in ("ae", "dae"):
        return "Held-out images in pairs: what the model saw, and what it made of it."
    if sample_grids.columns(sweep):
        return "Samples, a class per column, from noise that is the same for every trial."
    return "Samples from noise that is the same for every trial."


def _figure(sweep: Sweep, name: str, keep: Any) -> dict[str, Any] | None:
    figure = FIGURES[name]
    panels = figure.data(sweep)
    if not panels:
        return None
    tags = [f"{name}_{panel.key}" if hasattr(panel, "key") else name for panel in panels]
    images = [keep(tag, draw_figure(name, panel)) for tag, panel in zip(tags, panels, strict=True)]
    return {"title": figure.title, "look": figure.look(panels), "images": images, "wide": len(images) > 1}

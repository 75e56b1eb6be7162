"""Write the report: one HTML page that needs no other file, and its pictures as PNG files beside it.

The page begins with the verdict, how reliable it is, and commands that would show more. The winner with its picture
follows, then the evidence, every trial, and how the page was made. Images are data URIs, and the page forbids the
browser any request.
"""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import Any

from analysis.base import image_sheets
from analysis.base.formatting import BETTER, format_value, metric_label, state_label
from analysis.base.image_sheets import data_uri
from analysis.base.templates import load_template
from analysis.compare.equal_budget import score_stamp
from analysis.figures import FIGURES, sample_grids
from analysis.figures import render_png as draw_figure
from analysis.figures.best_vs_budget import compare_panels
from analysis.figures.sample_grids import Strip
from analysis.read import results
from analysis.read.results import Sweep
from analysis.report.findings import findings_context
from analysis.sweep import advice, commands, final_results, final_results_text, pareto, ranking, status, trial_metrics
from analysis.sweep.margin import margin_over_defaults
from trainables import filestore
from trainables.errors import UserError

TOP = 6  # configurations in the comparison grid
OPEN_ROWS = 60  # a longer table of trials starts folded


def write(directories: list[str | Path], out: str | Path | None = None) -> str:
    """Write `index.html` and the PNGs for one or several sweeps and return the path of the page.

    They go to `out`. Without `out`, they go to `report/` in the sweep, or for several sweeps to `report/` beside the
    first.

    Raises:
        UserError: a directory is not a sweep, or has nothing to show. Nothing is written then.
    """
    if not directories:
        raise UserError("name at least one sweep to report on")
    sweeps = [results.read_rows(results.load(directory)) for directory in directories]
    for sweep in sweeps:
        ranking.ranked_trials(sweep)  # refuses a sweep without a winner before any picture is made
    files: dict[str, bytes] = {}
    sections = [section_context(sweep, files, f"{sweep.manifest.name}_" if len(sweeps) > 1 else "") for sweep in sweeps]
    compared = comparison_context(sweeps) if len(sweeps) > 1 else None
    if compared and compared["alike"]:
        for panel in compare_panels(sweeps):
            files[f"budget_{panel.key}.png"] = draw_figure("budget", panel)
            compared["images"].append(data_uri(files[f"budget_{panel.key}.png"]))
    html = load_template("report.html").render(sections=sections, compared=compared, short=format_value)
    target = filestore.open_directory(out if out is not None else _report_folder(sweeps))
    for name, content in (files | {"index.html": html.encode()}).items():
        target.write(name, content)
    return f"{target.name.rstrip('/')}/index.html"


def section_context(sweep: Sweep, files: dict[str, bytes], prefix: str) -> dict[str, Any]:
    """Return everything that the page shows of one sweep. The pictures are also added to `files` by name."""
    manifest, proof = sweep.manifest, final_results.load(sweep)
    lead = ranking.winner_entry(sweep, None if proof is None else proof.pick.number)

    def keep(name: str, content: bytes) -> str:
        files[f"{prefix}{name}.png"] = content
        return data_uri(content)

    strips, epochs, picture = [], [], ""
    if sample_grids.draws_pictures(sweep):
        strips = sample_grids.compare_configurations(sweep, TOP)
        epochs = sample_grids.first_to_last(sweep, lead["number"])
        picture = keep("winner", sample_grids.saved_sheet(sweep, lead["number"], lead["best_epoch"]))
        keep("grid", sample_grids.render_strips(strips))
        keep("epochs", sample_grids.render_strips(epochs))
    return {
        "manifest": manifest,
        "metric": metric_label(sweep.metric),
        "state": status.summary(sweep),
        "lead": lead,
        "crown": "The winner" if proof is not None else _winner_heading(sweep),
        "goals": [
            {"name": metric_label(objective.metric), "way": BETTER[objective.mode]}
            for objective in sweep.goal.objectives
        ],
        "limits": " and ".join(map(str, sweep.goal.constraints)),
        "front": _front_rows(sweep),
        "verdict": advice.headline(sweep, proof),
        "trust": [
            {"text": point.text, "command": _command_parts(point.command)} for point in advice.list_advice(sweep, proof)
        ],
        "proof": None if proof is None else final_results_text.report_context(sweep, proof),
        "picture": picture,
        "drawn": " ".join([_picture_caption(sweep), *_shown_channels(sweep)]),
        "command": _command_parts(commands.retrain_command(sweep, lead["number"], lead["config"])),
        "swept": sweep.swept,
        "parameters": parameter_rows(sweep, lead["config"]),
        "findings": findings_context(sweep, lead["number"]),
        "measured": trial_metrics.metric_rows(sweep, lead["number"]),
        "measured_at": trial_metrics.describe_epochs(sweep, lead["number"]),
        "strips": [_strip_context(strip) for strip in strips],
        "real": len(strips) > 0 and strips[0].title == sample_grids.REAL,
        "columns": sample_grids.column_labels(sweep),
        "start": sample_grids.column_start(sweep),
        "epochs": [_strip_context(strip) for strip in epochs],
        "figures": [shown for name in FIGURES if (shown := _figure_context(sweep, name, keep))],
        "trials": trial_rows(sweep),
        "open": len(sweep.trials) <= OPEN_ROWS,
        "made": _command_parts(manifest.command),
    }


def parameter_rows(sweep: Sweep, config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the winner's parameters beside the defaults, swept ones first."""
    defaults = sweep.manifest.defaults
    keys = sorted(config, key=lambda key: (key not in sweep.swept, list(config).index(key)))
    return [
        {
            "key": key,
            "value": format_value(config[key]),
            "default": format_value(defaults.get(key)),  # the defaults may not have a conditional key
            "changed": key not in defaults or config[key] != defaults[key],
            "swept": key in sweep.swept,
        }
        for key in keys
    ]


def trial_rows(sweep: Sweep) -> list[dict[str, Any]]:
    """Return a row for every trial, ranked ones first, then the others by number."""
    order = {number: rank for rank, number in enumerate(ranking.ranked_trials(sweep)["number"].tolist())}
    scored = set(ranking.scored_trials(sweep)["number"])
    lines = sweep.trials.to_dict("records")
    lines.sort(key=lambda line: (order.get(line["number"], len(order)), line["number"]))
    return [
        {
            "number": line["number"],
            "state": state_label(line["state"]),
            "why": ": ".join(str(line[key]) for key in ("reason", "error") if isinstance(line[key], str))
            or (
                f"breaks {ranking.broken_constraints(sweep, line['number'])}"
                if line["number"] in scored - order.keys()
                else ""
            ),
            "values": [
                format_value(sweep.scores[line["number"]][objective.metric]) if line["number"] in scored else "–"
                for objective in sweep.goal.objectives
            ],
            "epoch": f"{format_value(line['best_epoch'])} of {format_value(line['epochs_done'])}"
            if line["number"] in scored
            else "–",
            "wall_s": "–" if math.isnan(line["wall_s"]) else f"{line['wall_s']:.1f}",
            "config": [format_value(line.get(key)) for key in sweep.swept],
        }
        for line in lines
    ]


def _winner_heading(sweep: Sweep) -> str:
    """Return the heading of the winner, or of the first trial of the Pareto front."""
    return "The winner" if len(sweep.goal.objectives) == 1 else f"Best {metric_label(sweep.metric)} on the Pareto front"


def _front_rows(sweep: Sweep) -> list[dict[str, Any]]:
    """Return the rows of the Pareto front as texts; empty if there is only one objective."""
    if len(sweep.goal.objectives) == 1:
        return []
    return [
        {
            "number": entry["number"],
            "state": state_label(entry["state"]),
            "values": [format_value(value) for value in entry["values"].values()],
            "epoch": entry["best_epoch"],
            "changed": pareto.diff_from_defaults(sweep, entry["number"], entry["config"]),
        }
        for entry in ranking.top_entries(sweep)
    ]


def comparison_context(sweeps: list[Sweep]) -> dict[str, Any]:
    """Return the winners of several sweeps, and whether their scores can be compared."""
    lines = []
    for sweep in sweeps:
        lead = ranking.top_entries(sweep, 1)[0]
        config, ahead = lead["config"], margin_over_defaults(sweep, lead["number"])
        lines.append({
            "name": sweep.manifest.name, "model": sweep.manifest.model, "dataset": sweep.manifest.dataset,
            "metric": metric_label(sweep.metric), "value": format_value(ahead.winner if ahead else lead["value"]),
            "default": format_value(ahead.default if ahead else None), "budget": ahead.budget if ahead else "–",
            "trials": len(sweep.trials),
            "detail": ", ".join(f"{key} {format_value(config[key])}" for key in sweep.swept if key in config),
        })  # fmt: skip
    return {
        "lines": lines,
        "alike": len({(sweep.metric, *score_stamp(sweep).values()) for sweep in sweeps}) == 1,
        "images": [],
    }


def _report_folder(sweeps: list[Sweep]) -> str:
    first = sweeps[0].place.name.rstrip("/")
    return f"{first}/report" if len(sweeps) == 1 else f"{first.rpartition('/')[0] or '.'}/report"


def _command_parts(words: list[str]) -> list[str]:
    """Return a command in pieces that a line break must not split: each flag with its value."""
    groups: list[str] = []
    for word in map(shlex.quote, words):
        if groups and not word.startswith("-") and groups[-1].startswith("-") and " " not in groups[-1]:
            groups[-1] += f" {word}"
        else:
            groups.append(word)
    return groups


def _strip_context(strip: Strip) -> dict[str, str]:
    image = data_uri(
        image_sheets.encode_png(
            image_sheets.make_sheet(strip.images, sample_grids.ACROSS, sample_grids.sheet_gap(strip.images))
        )
    )
    return {"title": strip.title, "detail": strip.detail, "image": image}


def _picture_caption(sweep: Sweep) -> str:
    if sweep.manifest.trainable.shows_pairs:
        return "Held-out images in pairs: what the model saw, and what it made of it."
    start = "a seed" if sample_grids.column_start(sweep) == "seed" else "noise"
    columns = ", a class per column," if sample_grids.column_labels(sweep) else ""
    return f"Samples{columns} from {start} that is the same for every trial."


def _shown_channels(sweep: Sweep) -> list[str]:
    """Return a sentence if pictures show only some of the images' channels."""
    shown = image_sheets.describe_shown(sweep.manifest.data.shape[0])
    return [f"Pictures show {shown}."] if shown else []


def _figure_context(sweep: Sweep, name: str, keep: Any) -> dict[str, Any] | None:
    figure = FIGURES[name]
    panels = figure.data(sweep)
    if not panels:
        return None
    tags = [f"{name}_{panel.key}" if hasattr(panel, "key") else name for panel in panels]
    images = [keep(tag, draw_figure(name, panel)) for tag, panel in zip(tags, panels, strict=True)]
    return {"title": figure.title, "caption": figure.caption(panels), "images": images, "wide": len(images) > 1}

"""The resolved sweep as `--dry-run` prints it."""

from pathlib import Path
from typing import Any

from gensweep.config import objectives
from gensweep.config.manifest import Sheet
from gensweep.storage import workdir
from trainables.objective import goal_of


def readable(directory: Path, sheet: Sheet) -> str:
    """The resolved sweep for a person: what is searched, where trial 0 starts, and everything else."""
    what = f"{sheet['model']} on {sheet['dataset']}, {sheet['trials']} trials, seed {sheet['seed']}"
    lines = [f"{workdir.name(directory)}: {what}"]
    for key, box in sorted(sheet["space"].items(), key=lambda item: item[1]["kind"] == "fixed"):
        ways = {
            "fixed": lambda box: f"= {box['value']}",
            "categorical": lambda box: "in " + ", ".join(map(str, box["choices"])),
        }
        spread = ways.get(box["kind"], lambda box: f"{box['low']:g} to {box['high']:g}{_steps(box)}")(box)
        first = "" if box["kind"] == "fixed" else f"   trial 0: {sheet['defaults'].get(key, 'not used')}"
        lines.append(f"  {key:16s} {spread}{first}")
    data, goal = sheet["data"], goal_of(sheet)
    channels, height, width = data["shape"]
    halving = f", factor {sheet['reduction_factor']}" if sheet["scheduler"] == "asha" else ""
    stops = "" if sheet["scheduler"] == "none" else f" from epoch {sheet['grace']} on{halving}"
    counts = ", ".join(f"{data[f'n_{split}']:,} {split}" for split in ("train", "val", "test"))
    about = {
        "objective": "; ".join(f"{one.metric}, {objectives.WAY[one.mode]} is better" for one in goal.objectives),
        "data": f"{counts}; {len(data['classes'])} classes, {height}x{width}, {channels} channel{'s' * (channels > 1)}",
        "search": f"{sheet['sampler']}; {sheet['scheduler']}{stops}; at most {sheet['epochs']} epochs",
    }
    if len(goal.objectives) > 1:
        about["primary"] = f"{goal.primary.metric}: early stopping and the choice of a trial's epoch go by it"
    if goal.constraints:
        about["constraints"] = ", ".join(map(str, goal.constraints))
    return "\n".join([*lines, *(f"  {key:16s} {text}" for key, text in about.items())])


def _steps(box: dict[str, Any]) -> str:
    step = f" in steps of {box['step']:g}" if "step" in box else ""
    return f"{step}{' (log)' if box['log'] else ''}"

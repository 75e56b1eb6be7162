"""The resolved sweep as `--dry-run` prints it."""

from pathlib import Path

from gensweep.config import objectives
from gensweep.config.manifest import Sheet
from gensweep.storage import workdir
from search_spaces.param import space_from_json
from trainables.objective import goal_of


def readable(directory: Path, sheet: Sheet) -> str:
    """The resolved sweep for a person: what is searched, where trial 0 starts, and everything else."""
    what = f"{sheet['model']} on {sheet['dataset']}, {sheet['trials']} trials, seed {sheet['seed']}"
    lines = [f"{workdir.name(directory)}: {what}"]
    for key, param in sorted(space_from_json(sheet["space"]).items(), key=lambda item: not item[1].searched):
        sign = {"fixed": "= ", "categorical": "in "}.get(param.kind, "")
        first = f"   trial 0: {sheet['defaults'].get(key, 'not used')}" if param.searched else ""
        lines.append(f"  {key:16s} {sign}{param.text()}{first}")
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

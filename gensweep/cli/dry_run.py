"""Format the resolved sweep for `--dry-run`."""

from pathlib import Path

from analysis.read.manifest import SweepManifest
from gensweep.config import objectives
from gensweep.storage import workdir


def format_manifest(directory: Path, manifest: SweepManifest) -> str:
    """Return the resolved sweep as text: what is searched, the values of trial 0, and everything else."""
    what = f"{manifest.model} on {manifest.dataset}, {manifest.trials} trials, seed {manifest.seed}"
    lines = [f"{workdir.display_name(directory)}: {what}"]
    for key, param in sorted(manifest.space.items(), key=lambda item: not item[1].searched):
        sign = {"fixed": "= ", "categorical": "in "}.get(param.kind, "")
        first = f"   trial 0: {manifest.defaults.get(key, 'not used')}" if param.searched else ""
        lines.append(f"  {key:16s} {sign}{param.text()}{first}")
    data, goal = manifest.data, manifest.goal
    channels, height, width = data.shape
    halving = f", factor {manifest.reduction_factor}" if manifest.scheduler == "asha" else ""
    initial = f"the first {manifest.n_initial} trials (the defaults and the points)"
    initial = initial if manifest.points else "trial 0 (the defaults)"
    stops = "" if manifest.scheduler == "none" else f" from epoch {manifest.grace} on{halving}, never {initial}"
    counts = ", ".join(f"{getattr(data, f'n_{split}'):,} {split}" for split in ("train", "val", "test"))
    labels = f"{len(data.classes)} classes" if data.classes else "no labels"
    about = {
        "objective": "; ".join(f"{metric}, {objectives.WAY[mode]} is better" for metric, mode in goal.objectives),
        "data": f"{counts}; {labels}, {height}x{width}, {channels} channel{'s' * (channels > 1)}"
        if channels
        else "none",
        "search": f"{manifest.sampler}; {manifest.scheduler}{stops}; at most {manifest.epochs} epochs",
    }
    if len(goal.objectives) > 1:
        about["primary"] = f"{goal.primary.metric}: early stopping and the choice of a trial's epoch use it"
    if goal.constraints:
        about["constraints"] = ", ".join(map(str, goal.constraints))
    if unequal := manifest.describe_unequal_updates():
        about["updates"] = unequal
    return "\n".join([*lines, *(f"  {key:16s} {text}" for key, text in about.items())])

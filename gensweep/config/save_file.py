"""Write a resolved sweep as a sweep file, which `gensweep run MODEL FILE` reads."""

from pathlib import Path
from typing import Any

from analysis.read.manifest import SweepManifest
from gensweep.config import wandb
from gensweep.config.options import Options
from gensweep.config.sweep_yaml import GOALS, METHODS
from gensweep.errors import UserError


def written(manifest: SweepManifest) -> str:
    """Return a resolved sweep as the text of such a file, without what belongs to a machine."""
    import yaml

    usual = Options._field_defaults
    method = next((word for word, sampler in METHODS.items() if sampler == manifest.sampler), "bayes")
    ways = {mode: goal for goal, mode in GOALS.items()}
    content: dict[str, Any] = {"name": manifest.name, "method": method}
    content["metric"] = {"name": manifest.goal.primary.metric, "goal": ways[manifest.goal.primary.mode]}
    content["parameters"] = {key: wandb.entry(param) for key, param in manifest.space.items()}
    content["run_cap"] = manifest.trials
    if manifest.scheduler == "asha":
        stops = {"type": "hyperband", "min_iter": manifest.grace, "eta": manifest.reduction_factor}
        content["early_terminate"] = stops
    options = {"dataset": manifest.dataset, "seed": manifest.seed}
    options |= {"sampler": manifest.sampler} if METHODS[method] != manifest.sampler else {}
    options |= {"scheduler": manifest.scheduler} if manifest.scheduler not in ("asha", "none") else {}
    if len(manifest.goal.objectives) > 1:
        options["objective"] = dict(manifest.goal.objectives)
        options["primary"] = manifest.goal.primary.metric
    plain = ["precision", "alarm", "also", "every", "train_images", "points"]
    plain += [] if manifest.scheduler == "asha" else ["grace", "reduction_factor"]
    options |= {key: value for key in plain if (value := getattr(manifest, key)) not in (usual[key], [])}
    options |= {"extractor": choice.text} if (choice := manifest.chosen_extractor) else {}
    options |= {"constraints": list(map(str, manifest.goal.constraints))} if manifest.goal.constraints else {}
    options |= {"start": start} if (start := _start(manifest)) else {}
    head = f"# gensweep run {manifest.model} FILE.yaml\n"
    return head + yaml.safe_dump({**content, **options}, sort_keys=False, default_flow_style=None, width=120)


def save(path: Path, manifest: SweepManifest) -> None:
    """Write a resolved sweep to a new file; raise UserError if the file exists or cannot be written."""
    write_new(path, written(manifest))
    print(f"wrote {path}")


def write_new(path: Path, text: str) -> None:
    """Write a text to a new file; raise UserError if the file exists or cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise UserError(f"{path} already exists: name another file") from None
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error


def _start(manifest: SweepManifest) -> dict[str, Any]:
    """Return the keys in which trial 0 differs from the defaults of the same space."""
    from gensweep.config.resolve import configured_space
    from search_spaces.override import default

    pins = dict(manifest.set)
    space = configured_space(manifest.model, pins, None if "epochs" in pins else manifest.epochs, manifest.precision)
    usual = default(space)[0]
    return {key: value for key, value in manifest.defaults.items() if usual.get(key) != value}

"""A sweep as a YAML file: the options of `gensweep run` by name, and the words of a Weights & Biases sweep file.

A file that was written for W&B runs as it is. Its `parameters` are then all that is searched: what they leave out stays
at the defaults, as it would in the program that W&B calls, where a file of options alone only reshapes the space. Their
documentation: https://docs.wandb.ai/models/sweeps/sweep-config-keys.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from analysis.read.manifest import SweepManifest
from gensweep.config import wandb
from gensweep.config.options import TEXT_OPTIONS, Options, check_whole_number, setting_texts
from gensweep.errors import UserError, did_you_mean, unknown

METHODS = {"bayes": "tpe", "random": "random", "grid": "grid"}
GOALS = {"minimize": "min", "maximize": "max"}
THEIRS = ("method", "metric", "parameters", "early_terminate", "run_cap")
NOT_OURS = (  # what W&B runs, and where it keeps it
    *("program", "command", "entity", "project", "description"),
    *("apiVersion", "kind", "controller", "job", "image_uri"),
)
OF_METRIC = ("target", "impute", "impute_while_running")
OF_STOPPING = ("type", "min_iter", "max_iter", "s", "eta", "strict")


class Written(NamedTuple):
    """The content of a sweep file: options by name; whether its parameters are all that is searched; and its keys that
    gensweep ignores."""

    options: dict[str, Any]
    closed: bool = False
    ignored: tuple[str, ...] = ()


def read(path: str, model: str) -> Written:
    """Return what a sweep file says, for a model.

    Raises:
        UserError: the file cannot be read, or an entry is not valid.
    """
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"cannot read {path!r}: {str(error).splitlines()[0]}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path!r} is not a sweep file: a mapping such as 'trials: 20' is needed")
    try:
        return _read({str(key): value for key, value in content.items()}, model)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _read(content: dict[str, Any], model: str) -> Written:
    closed = any(key in content for key in (*THEIRS, *NOT_OURS))
    words = (*THEIRS, *NOT_OURS) if closed else ()
    options = {key.replace("-", "_"): value for key, value in content.items() if key not in words}
    known = [name for name in Options._fields if name != "model"]
    for key in options:
        if key not in known:
            raise UserError(
                did_you_mean("key" if closed else "option", key, [*words, *(k.replace("_", "-") for k in known)])
            )
    if not isinstance(options.get("set", {}), dict):
        raise UserError("'set' needs a mapping such as 'lr: 1e-4:1e-2:log'")
    options = {
        key: str(value) if key in TEXT_OPTIONS and value is not None else value for key, value in options.items()
    }
    if not closed:
        return Written(options)
    if options.get("name"):  # of theirs a person reads, of ours is a folder
        options["name"] = re.sub(r"[^A-Za-z0-9_.+=-]+", "-", options["name"]).strip("-_.+=")[:100] or None
    theirs = _options(content, model)
    settings = {**theirs.options["set"], **options.get("set", {})}
    return theirs._replace(options={**theirs.options, **options, "set": settings})


def _options(content: Mapping[str, Any], model: str) -> Written:
    """Return the keys of W&B as our options."""
    for key in ("method", "parameters"):
        if key not in content:
            raise UserError(f"a W&B sweep file needs a {key!r}")
    method = content["method"]
    if method not in METHODS:
        raise unknown("method", str(method), METHODS)
    settings = _settings(content["parameters"], str(method), model)
    options = {"sampler": METHODS[method], **_goal(content.get("metric")), **_stopping(content), "set": settings}
    if content.get("run_cap") is not None:
        check_whole_number("run_cap", content["run_cap"], 1)
        options["trials"] = content["run_cap"]
    elif method == "grid":  # W&B tries all of it
        options["trials"] = 1 + math.prod(text.count(",") + 1 for text in settings.values())
    ignored = [key for key in NOT_OURS if key in content]
    ignored += [f"metric.{key}" for key in OF_METRIC if key in (content.get("metric") or {})]
    ignored += [
        f"{key}.probabilities"
        for key, entry in content["parameters"].items()
        if method != "random" and "probabilities" in entry
    ]
    return Written(options, True, tuple(ignored))


def _goal(metric: Any) -> dict[str, Any]:
    if metric is None:  # which only bayes needs there; the space has one
        return {}
    if not isinstance(metric, dict) or "name" not in metric:
        raise UserError(f"metric {metric!r}: a mapping such as {{name: fid, goal: minimize}} is needed")
    for key in metric:
        if key not in ("name", "goal", *OF_METRIC):
            raise UserError(f"metric: {did_you_mean('key', str(key), ('name', 'goal', *OF_METRIC))}")
    goal = metric.get("goal", "minimize")
    if goal not in GOALS:
        raise UserError(f"metric: {did_you_mean('goal', str(goal), GOALS)}")
    return {"objective": {str(metric["name"]): GOALS[goal]}}


def _settings(parameters: Any, method: str, model: str) -> dict[str, str]:
    """Return what is searched, as texts of `--set` by key."""
    from search_spaces.user_space import find_space

    roles = find_space(model).roles
    if not isinstance(parameters, dict) or not parameters:
        raise UserError(f"parameters {parameters!r}: a mapping such as {{lr: {{min: 0.0001, max: 0.1}}}} is needed")
    texts = {}
    for key, entry in parameters.items():
        if key not in roles:
            raise UserError(f"parameters: {did_you_mean(f'key of {model}', str(key), roles)}")
        try:
            texts[str(key)] = wandb.text(entry, method)
        except UserError as error:
            raise UserError(f"parameters: {key}: {error}") from error
    return texts


def _stopping(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of their hyperband. It decides at eta times the epochs of the last decision, as asha does."""
    rule = content.get("early_terminate")
    if rule is None:
        return {"scheduler": "none"}
    if not isinstance(rule, dict):
        raise UserError(f"early_terminate {rule!r}: a mapping such as {{type: hyperband, min_iter: 3}} is needed")
    for key in rule:
        if key not in OF_STOPPING:
            raise UserError(f"early_terminate: {did_you_mean('key', str(key), OF_STOPPING)}")
    if rule.get("type") != "hyperband":
        raise UserError(f"early_terminate: type {rule.get('type')!r}: it is hyperband")
    for key in ("min_iter", "max_iter", "s"):
        check_whole_number(f"early_terminate: {key}", rule.get(key), 1)
    eta, most, brackets = rule.get("eta", 3), rule.get("max_iter"), rule.get("s")
    check_whole_number("early_terminate: eta", eta, 2)
    if most is not None and brackets is not None:
        bands = [int(most / eta**k) for k in range(1, brackets + 1) if most / eta**k >= 1]
        if not bands:
            raise UserError(f"early_terminate: max_iter {most} and eta {eta} leave no epoch to decide at")
        return {"scheduler": "asha", "grace": bands[-1], "reduction_factor": eta}
    if rule.get("min_iter") is None:
        raise UserError("early_terminate: min_iter is needed, or max_iter and s")
    return {"scheduler": "asha", "grace": rule["min_iter"], "reduction_factor": eta}


def rest(model: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys that have a default and that the settings leave searched, pinned to it.

    Raises:
        UserError: a setting that cannot be applied.
    """
    from search_spaces.override import apply, default
    from search_spaces.user_space import find_space
    from search_spaces.walk import describe

    space = apply(find_space(model), setting_texts(settings))
    config = default(space)[0]
    free = [key for key, param in describe(space).items() if param.searched and key not in settings]
    return {key: str(config[key]) for key in free if key in config and key in space.defaults}


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

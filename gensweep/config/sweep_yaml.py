"""A sweep as a YAML file: the options of `gensweep run` by name, and the words of a Weights & Biases sweep file.

A file that was written for W&B runs as it is. Its `parameters` are then all that is searched: what they leave out stays
at the defaults, as it would in the program that W&B calls, where a file of options alone only reshapes the space. Their
documentation: https://docs.wandb.ai/models/sweeps/sweep-config-keys.
"""

import math
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from gensweep.config import wandb
from gensweep.config.options import TEXT_OPTIONS, Options, check_whole_number
from gensweep.config.sweep_parameters import check_set, read_parameters
from gensweep.config.yaml_file import Faults, read_yaml
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
    file = read_yaml(path)
    if not isinstance(file.content, dict):
        raise UserError(f"{path!r} is not a sweep file: a mapping such as 'trials: 20' is needed")
    if other := _other_kind(file.content):
        raise UserError(f"{path} {other}")
    return _read({str(key): value for key, value in file.content.items()}, model, Faults(file))


def _other_kind(content: Mapping[Any, Any]) -> str:
    """Return what another kind of file is, and what would be right; empty for what may be a sweep file."""
    if "hydra" in content or isinstance(content.get("defaults"), list):
        return "is a configuration of Hydra: list what is searched under `parameters`, as in a W&B sweep file"
    if {"study_name", "search_space", "directions", "direction"} & content.keys():
        return "is a file for Optuna: list what is searched under `parameters`, as in a W&B sweep file"
    wrapped = [key for key, value in content.items() if isinstance(value, dict) and "parameters" in value]
    if "parameters" not in content and wrapped:
        return f"has the sweep under {str(wrapped[0])!r}: move it to the top level"
    return ""


def _read(content: dict[str, Any], model: str, faults: Faults) -> Written:
    closed = any(key in content for key in (*THEIRS, *NOT_OURS))
    words = (*THEIRS, *NOT_OURS) if closed else ()
    options = {key.replace("-", "_"): value for key, value in content.items() if key not in words}
    known = [name for name in Options._fields if name != "model"]
    for key in [key for key in options if key not in known]:
        names = [*words, *(name.replace("_", "-") for name in known)]
        if key == "model":
            faults.add((key,), "model: it is typed, gensweep run MODEL FILE")
            continue
        faults.add((key,), did_you_mean("key" if closed else "option", key, names))
    options = {key: value for key, value in options.items() if key in known and value is not None}  # null: the default
    if not isinstance(options.get("set", {}), dict):
        faults.add(("set",), "'set' needs a mapping such as 'lr: 1e-4:1e-2:log'")
    elif not closed:
        check_set(options.get("set", {}), model, faults)
    options = {key: wandb.text_of(value) if key in TEXT_OPTIONS else value for key, value in options.items()}
    if options.get("results"):
        options["results"] = os.path.expanduser(options["results"])  # noqa: PTH111  it may be a URL
    if not closed:
        faults.check()
        return Written(options)
    if options.get("name"):  # of theirs a person reads, of ours is a folder
        options["name"] = re.sub(r"[^\w.+=-]+", "-", options["name"]).strip("-_.+=")[:100] or None
    theirs = _options(content, model, faults)
    settings = {**theirs.options["set"], **options.get("set", {})}
    return theirs._replace(options={**theirs.options, **options, "set": settings})


def _options(content: Mapping[str, Any], model: str, faults: Faults) -> Written:
    """Return the keys of W&B as our options."""
    for key in ("method", "parameters"):
        if key not in content:
            faults.add((), f"a W&B sweep file needs a {key!r}")
    faults.check()
    method, goal, stopping = str(content["method"]), dict[str, Any](), dict[str, Any]()
    if method not in METHODS:
        faults.add(("method",), unknown("method", method, METHODS))
    with faults.catch("metric"):
        goal = _goal(content.get("metric"))
    with faults.catch("early_terminate"):
        stopping = _stopping(content)
    with faults.catch("run_cap"):
        check_whole_number("run_cap", content.get("run_cap"), 1)
    hint, settings, notes = read_parameters(content["parameters"], method, model, faults)
    faults.check(hint)
    options = {"sampler": METHODS[method], **goal, **stopping, "set": settings}
    if content.get("run_cap") is not None:
        options["trials"] = content["run_cap"]
    elif method == "grid":  # W&B tries all of it
        options["trials"] = 1 + math.prod(setting.count(",") + 1 for setting in settings.values())
    ignored = [key for key in NOT_OURS if key in content]
    ignored += [f"metric.{key}" for key in OF_METRIC if key in (content.get("metric") or {})]
    return Written(options, True, (*ignored, *notes))


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
            raise UserError(
                f"early_terminate: max_iter {most} and eta {eta} leave no epoch to decide at: write min_iter: 1 instead"
            )
        return {"scheduler": "asha", "grace": bands[-1], "reduction_factor": eta}
    if rule.get("min_iter") is None:
        raise UserError("early_terminate: min_iter is needed, or max_iter and s")
    return {"scheduler": "asha", "grace": rule["min_iter"], "reduction_factor": eta}

"""Read the goal of a sweep: `--objective fid:min,precision:max`, `--constraint "modes>=7"`.

Every key is one of METRICS that the model's rows hold as a number. METRICS says which way is better, so `fid` alone is
enough, and `fid:max` is a mistake.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gensweep.config import user_models
from gensweep.config.options import Options
from gensweep.config.samplers import SAMPLERS
from gensweep.errors import UserError, unknown

if TYPE_CHECKING:
    from search_spaces import Space
    from trainables.objective import Goal, Objective

WAY = {"min": "lower", "max": "higher"}

PARTS = {  # of EvalInputs, as a user would call them
    "features": "samples",
    "draw": "samples",
    "labels": "labels to draw by",
    "classes": "images with labels",
    "encode": "codes",
    "measured": "a model of held-out images",
    "log_weight": "a likelihood of binary images (--set likelihood=bernoulli)",
}


def parse_goal(options: Options, space: "Space") -> "Goal":
    """Return the goal that the user chose, or else the one of the space.

    Raises:
        UserError: a key that no row holds, a wrong direction, what contradicts itself, or what the sampler or
            the scheduler cannot do.
    """
    from trainables.objective import Goal, constraint

    requested = dict(user_models.objectives(options.model) or [space.objective])
    if options.objective is not None:
        requested = _pairs(options.objective)
    several = tuple(_objective(metric, mode, options.model) for metric, mode in requested.items())
    named = options.primary or several[0].metric
    primary = next((objective for objective in several if objective.metric == named), None)
    if primary is None:
        raise unknown("primary objective", named, requested)
    if not isinstance(options.constraints, list | tuple):
        raise UserError(f"constraints {options.constraints!r}: a list of texts such as 'modes>=7' is needed")
    goal = Goal(primary, several, tuple(constraint(str(text)) for text in options.constraints))
    _check_constraints(goal)
    is_own = options.objective is None and not user_models.is_user_model(options.model)
    trusted = {space.objective[0]} if is_own else set()
    for key in goal.keys:
        if key not in trusted:  # the space's own objective is its author's business, and torch need not be imported
            _check_key(key, options.model, space)
    _check_search(goal, options)
    return goal


def _pairs(objective: Any) -> dict[str, Any]:
    """Return metrics with min, max or None, from `fid:min,precision:max`, from a mapping, or from one pair."""
    if isinstance(objective, Mapping):
        pairs = [(str(metric), mode) for metric, mode in objective.items()]
    elif isinstance(objective, str):
        parts = [part.strip().partition(":") for part in objective.split(",")]
        pairs = [(metric.strip(), mode.strip() if colon else None) for metric, colon, mode in parts]
    else:
        pairs = (
            [(str(objective[0]), objective[1])] if isinstance(objective, list | tuple) and len(objective) == 2 else []
        )
    if not pairs or not all(metric for metric, _ in pairs):
        raise UserError(f"objective {objective!r}: write metric:min or metric:max, several as fid:min,precision:max")
    modes: dict[str, Any] = {}
    for metric, mode in pairs:
        if metric in modes:
            raise UserError(f"objective {metric} is given twice")
        modes[metric] = mode
    return modes


def _objective(metric: str, mode: str | None, model: str) -> "Objective":
    from trainables.objective import MODES, Objective

    better = _known(metric, model)[metric].better
    if mode is None and better is None:
        raise UserError(f"objective {metric}: say which way, {metric}:min or {metric}:max")
    if mode is not None and mode not in MODES:
        raise UserError(f"objective {metric}:{mode}: the direction is min or max")
    if mode is not None and better not in (None, mode):
        raise UserError(f"objective {metric}:{mode}: {WAY[str(better)]} is better: write {metric}:{better}")
    return Objective(metric, str(mode or better))


def _known(key: str, model: str) -> dict[str, Any]:
    """Return the keys of rows that are numbers; raise UserError if `key` is not one of them."""
    from trainables.metrics import MetricKey, keys

    facts = user_models.metric_facts(model)
    better = {name: facts[name].better if name in facts else None for name in user_models.own_keys(model)}
    numbers = {name: MetricKey(name, mode, "of the model's own") for name, mode in better.items()}
    numbers |= {name: about for name, about in keys().items() if not about.many}
    if key not in numbers:
        raise unknown("metric", key, numbers)
    return numbers


def _check_constraints(goal: "Goal") -> None:
    bounds: dict[tuple[str, str], float] = {}
    for limit in goal.constraints:
        if (limit.key, limit.sense) in bounds:
            raise UserError(f"constraint {limit}: {limit.key}{limit.sense} is given twice")
        bounds[limit.key, limit.sense] = limit.bound
    for (key, sense), low in bounds.items():
        if sense == ">=" and low > bounds.get((key, "<="), low):
            raise UserError(f"constraint {key}>={low:g} and {key}<={bounds[key, '<=']:g}: nothing can keep both")


def _check_key(key: str, model: str, space: "Space") -> None:
    from search_spaces.walk import walk
    from trainables.engine.evaluate import available_inputs
    from trainables.metrics import METRICS
    from trainables.user_model.registry import find_model

    _known(key, model)
    if key in user_models.own_keys(model):
        return
    metric = next(metric for metric in METRICS.values() if key in metric.keys)
    if metric.when == "on_request":
        raise UserError(f"metric {key} is measured on request only (--also {key}), so it cannot be an objective")
    for _, inputs in walk(lambda trial: available_inputs(find_model(model), space.space(trial))):
        lacking = [part for part in metric.needs if part not in inputs]
        if lacking:
            raise UserError(f"metric {key} needs {PARTS[lacking[0]]}, and {model} trials of this space have none")


def _check_search(goal: "Goal", options: Options) -> None:
    from trainables.metrics import METRICS

    if SAMPLERS[options.sampler].single_objective and (len(goal.objectives) > 1 or goal.constraints):
        raise UserError(f"sampler {options.sampler} takes one objective and no constraints: use tpe, nsgaii or gp")
    late = [key for metric in METRICS.values() if metric.when == "last" for key in metric.keys]
    late += [key for key, about in user_models.metric_facts(options.model).items() if about.when == "last"]
    if goal.primary.metric in late and options.scheduler != "none":
        raise UserError(
            f"{goal.primary.metric} is measured at a trial's last epoch only, so {options.scheduler} cannot stop by "
            "it: use --scheduler none, or --primary with another objective"
        )


def describe_goal(goal: "Goal") -> list[str]:
    """Return the lines about several objectives and about constraints for the header of a run."""
    lines = []
    if len(goal.objectives) > 1:
        several = ", ".join(f"{objective.metric} ({WAY[objective.mode]})" for objective in goal.objectives)
        by = f"early stopping and the choice of a trial's epoch go by {goal.primary.metric}"
        lines.append(f"objectives: {several}; {by}")
    if goal.constraints:
        lines.append(f"constraints: {', '.join(map(str, goal.constraints))}; what breaks one never wins")
    return lines


def check_requested(names: Sequence[str]) -> list[str]:
    """Return the metrics of `--also`, each once. Raise UserError for a name that is not measured on request."""
    from trainables.metrics import METRICS

    known = [name for name, metric in METRICS.items() if metric.when == "on_request"]
    for name in [names] if isinstance(names, str) else names:
        if name not in known:
            raise unknown("metric measured on request", str(name), known)
    return list(dict.fromkeys([names] if isinstance(names, str) else names))

"""The goal of a sweep as the user asks for it: `--objective fid:min,precision:max`, `--constraint "modes>=7"`.

Every key is one of METRICS that the model's rows hold as a number. Which way is better METRICS knows, so `fid` alone
will do, and `fid:max` is a slip.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
    "encode": "codes",
    "measured": "a model of held-out images",
    "log_weight": "a likelihood of binary images (--set likelihood=bernoulli)",
}


def parse_goal(options: Options, space: "Space") -> "Goal":
    """What the user asks for, or what the space does.

    Raises:
        UserError: a key that no row holds, a wrong direction, what contradicts itself, or what the sampler or
            the scheduler cannot do.
    """
    from trainables.objective import Goal, constraint

    given = dict([space.objective]) if options.objective is None else _pairs(options.objective)
    several = tuple(_objective(metric, mode) for metric, mode in given.items())
    named = options.primary or several[0].metric
    primary = next((one for one in several if one.metric == named), None)
    if primary is None:
        raise unknown("primary objective", named, given)
    if not isinstance(options.constraints, list | tuple):
        raise UserError(f"constraints {options.constraints!r}: a list of texts such as 'modes>=7' is needed")
    goal = Goal(primary, several, tuple(constraint(str(text)) for text in options.constraints))
    _check_constraints(goal)
    trusted = {space.objective[0]} if options.objective is None else set()
    for key in goal.keys:
        if key not in trusted:  # the space's own objective is its author's business, and torch need not be imported
            _check_key(key, options.model, space)
    _check_search(goal, options)
    return goal


def _pairs(given: Any) -> dict[str, Any]:
    """Metrics with min, max or None, of `fid:min,precision:max`, of a mapping, or of one pair."""
    if isinstance(given, Mapping):
        pairs = [(str(metric), mode) for metric, mode in given.items()]
    elif isinstance(given, str):
        parts = [part.strip().partition(":") for part in given.split(",")]
        pairs = [(metric.strip(), mode.strip() if colon else None) for metric, colon, mode in parts]
    else:
        pairs = [(str(given[0]), given[1])] if isinstance(given, list | tuple) and len(given) == 2 else []
    if not pairs or not all(metric for metric, _ in pairs):
        raise UserError(f"objective {given!r}: write metric:min or metric:max, several as fid:min,precision:max")
    found: dict[str, Any] = {}
    for metric, mode in pairs:
        if metric in found:
            raise UserError(f"objective {metric} is given twice")
        found[metric] = mode
    return found


def _objective(metric: str, mode: str | None) -> "Objective":
    from trainables.objective import MODES, Objective

    better = _known(metric)[metric].better
    if mode is None and better is None:
        raise UserError(f"objective {metric}: say which way, {metric}:min or {metric}:max")
    if mode is not None and mode not in MODES:
        raise UserError(f"objective {metric}:{mode}: the direction is min or max")
    if mode is not None and better not in (None, mode):
        raise UserError(f"objective {metric}:{mode}: {WAY[str(better)]} is better: write {metric}:{better}")
    return Objective(metric, str(mode or better))


def _known(key: str) -> dict[str, Any]:
    """The keys of METRICS that are numbers, of which `key` is one."""
    from trainables.metrics import keys

    numbers = {name: about for name, about in keys().items() if not about.many}
    if key not in numbers:
        raise unknown("metric", key, numbers)
    return numbers


def _check_constraints(goal: "Goal") -> None:
    bounds: dict[tuple[str, str], float] = {}
    for one in goal.constraints:
        if (one.key, one.sense) in bounds:
            raise UserError(f"constraint {one}: {one.key}{one.sense} is given twice")
        bounds[one.key, one.sense] = one.bound
    for (key, sense), low in bounds.items():
        if sense == ">=" and low > bounds.get((key, "<="), low):
            raise UserError(f"constraint {key}>={low:g} and {key}<={bounds[key, '<=']:g}: nothing can keep both")


def _check_key(key: str, model: str, space: "Space") -> None:
    from search_spaces.walk import walk
    from trainables import MODELS
    from trainables.engine.evaluate import available_inputs
    from trainables.metrics import METRICS

    _known(key)
    metric = next(metric for metric in METRICS.values() if key in metric.keys)
    if metric.when == "on_request":
        raise UserError(f"metric {key} is measured on request only (--also {key}), so it cannot be an objective")
    for _, inputs in walk(lambda trial: available_inputs(MODELS[model], space.space(trial))):
        lacking = [part for part in metric.needs if part not in inputs]
        if lacking:
            raise UserError(f"metric {key} needs {PARTS[lacking[0]]}, and {model} trials of this space have none")


def _check_search(goal: "Goal", options: Options) -> None:
    from trainables.metrics import METRICS

    if SAMPLERS[options.sampler].single_objective and (len(goal.objectives) > 1 or goal.constraints):
        raise UserError(f"sampler {options.sampler} takes one objective and no constraints: use tpe, nsgaii or gp")
    late = [key for metric in METRICS.values() if metric.when == "last" for key in metric.keys]
    if goal.primary.metric in late and options.scheduler != "none":
        raise UserError(
            f"{goal.primary.metric} is measured at a trial's last epoch only, so {options.scheduler} cannot stop by "
            "it: use --scheduler none, or --primary with another objective"
        )


def describe_goal(goal: "Goal") -> list[str]:
    """What is not usual about a goal, as the header of a run says it: several objectives, or constraints."""
    lines = []
    if len(goal.objectives) > 1:
        several = ", ".join(f"{one.metric} ({WAY[one.mode]})" for one in goal.objectives)
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

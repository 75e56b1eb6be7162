"""The distributions of a Weights & Biases sweep file, as `--set` would say them, and back.

Their reference: https://docs.wandb.ai/models/sweeps/sweep-config-keys. What is drawn from a range, also on a
logarithmic scale and in multiples of q, can be said here; a normal or a beta distribution cannot, since every sampler
here looks for the best within a range.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gensweep.errors import UserError, unknown
from search_spaces.param import Param

RANGES = (
    *("int_uniform", "uniform", "q_uniform", "log_uniform", "log_uniform_values", "q_log_uniform"),
    *("q_log_uniform_values", "inv_log_uniform", "inv_log_uniform_values"),
)
LISTS = ("categorical", "categorical_w_probabilities")
BELLS = ("normal", "q_normal", "log_normal", "q_log_normal", "beta", "q_beta")
KNOWN = ("constant", *LISTS, *RANGES, *BELLS)
MANY = 10_000  # values of a grid's key


def text(told: Any, method: str) -> str:
    """One entry of `parameters` as the text behind `--set KEY=`.

    Raises:
        UserError: it is no distribution, or none that can be searched here; the line does not say of which key.
    """
    if not isinstance(told, dict) or not told:
        raise UserError(f"{told!r}: a mapping such as {{min: 0.0001, max: 0.1}} is needed")
    if "parameters" in told:
        raise UserError("nested parameters are not known here: name the key itself")
    name = told["distribution"] if "distribution" in told else _inferred(told)
    if name not in KNOWN:
        raise unknown("distribution", str(name), KNOWN)
    if name in BELLS:
        raise UserError(_instead(name, told))
    wanted = {"constant": ("value",), **dict.fromkeys(LISTS, ("values",))}.get(name, ("min", "max"))
    for key in wanted:
        if key not in told:
            raise UserError(f"a {name} distribution needs {' and '.join(wanted)}")
    also = ("probabilities",) if name in LISTS else ("q",) if name.startswith("q_") else ()
    for key in told:
        if key not in ("distribution", *wanted, *also):
            raise UserError(f"{key!r} means nothing in a {name} distribution, which has {', '.join((*wanted, *also))}")
    if name == "constant":
        return str(told["value"])
    return _values(told, method) if name in LISTS else _range(name, told, method)


def _inferred(told: Mapping[str, Any]) -> str:
    """The distribution of an entry that names none, as their documentation has it."""
    if "values" in told:
        return "categorical"
    if "value" in told:
        return "constant"
    if not {"min", "max"} <= told.keys():
        raise UserError(f"{', '.join(map(str, told))}: value, values, min and max, or a distribution is needed")
    whole = all(isinstance(_number(end, told[end]), int) for end in ("min", "max"))
    return "int_uniform" if whole else "uniform"


def _number(what: str, value: Any) -> int | float:
    """A number, also one that YAML has read as a text: to YAML 1.1, 1e-4 is no number."""
    if isinstance(value, str):
        for kind in (int, float):
            try:
                value = kind(value)
                break
            except ValueError:
                continue
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(f"{what} {value!r}: a number is needed")
    return value


def _values(told: Mapping[str, Any], method: str) -> str:
    values, chances = told["values"], told.get("probabilities")
    if not isinstance(values, list) or not values:
        raise UserError(f"values {values!r}: a list such as [64, 128] is needed")
    if chances is not None:
        values = _likely(values, chances, method)
    return ",".join(map(str, values))


def _likely(values: list[Any], chances: Any, method: str) -> list[Any]:
    """The values that have any probability. Their methods but random look at no other."""
    if not isinstance(chances, list) or len(chances) != len(values):
        raise UserError(f"probabilities {chances!r}: one for each of the {len(values)} values is needed")
    numbers = [_number("probabilities", chance) for chance in chances]
    kept = [value for value, chance in zip(values, numbers, strict=True) if chance > 0]
    if not kept or min(numbers) < 0:
        raise UserError(f"probabilities {chances!r}: numbers from 0 on are needed, not all of them 0")
    if method == "random" and len({chance for chance in numbers if chance > 0}) > 1:
        raise UserError("values are drawn with equal chances here: leave the probabilities out, or some of the values")
    return kept


def _range(name: str, told: Mapping[str, Any], method: str) -> str:
    low, high = _number("min", told["min"]), _number("max", told["max"])
    if low > high:
        raise UserError(f"min {low:g} is above max {high:g}")
    if name.endswith("log_uniform"):  # of the exponents
        low, high = (-high, -low) if name.startswith("inv_") else (low, high)
        low, high = _exp(low), _exp(high)
    elif "log" in name and low <= 0:
        raise UserError(f"min {low:g}: a logarithmic range starts above 0")
    step = _number("q", told.get("q", 1)) if name.startswith("q_") else int(name == "int_uniform")
    if name == "int_uniform" and not all(isinstance(end, int) for end in (low, high)):
        raise UserError(f"an int_uniform distribution needs whole numbers, not {low:g} and {high:g}")
    if name.startswith("q_") and not step > 0:
        raise UserError(f"q {step:g} is too small: more than 0")
    if low == high:
        return str(low)
    if method == "grid" and name in ("int_uniform", "q_uniform"):
        return _listed(low, high, step)
    parts = [str(low), str(high), "log" if "log" in name else "linear", *([str(step)] if step else [])]
    return ":".join(parts)


def _exp(power: float) -> int | float:
    """e to a power in twelve digits: a whole number where the power was written as the logarithm of one."""
    try:
        value = float(f"{math.exp(power):.12g}")
    except OverflowError:
        raise UserError(f"log_uniform takes exponents: of {power:g}, use log_uniform_values") from None
    return int(value) if value.is_integer() else value


def _listed(low: float, high: float, step: float) -> str:
    """The values of a range in steps, for a grid."""
    first, last = math.ceil(low / step), math.floor(high / step)
    if last - first >= MANY:
        raise UserError(f"a grid of {last - first + 1} values: name the few that are meant by values")
    return ",".join(f"{k * step:.12g}" for k in range(first, last + 1))


def _instead(name: str, told: Mapping[str, Any]) -> str:
    """What to write for a distribution without ends: the range that holds 95 % of it."""
    if "beta" in name:
        return f"a {name} distribution is not searched here: write a uniform one from min: 0 to max: 1"
    mean, spread = _number("mu", told.get("mu", 0)), _number("sigma", told.get("sigma", 1))
    ends: Sequence[float] = (mean - 2 * spread, mean + 2 * spread)
    ranged = "uniform"
    if "log" in name:
        ends, ranged = [_exp(end) for end in ends], "log_uniform_values"
    return (
        f"a {name} distribution is not searched here, since it has no ends: write "
        f"{name[:2] if name.startswith('q_') else ''}{ranged} from min: {ends[0]:.3g} to max: {ends[1]:.3g}"
    )


def entry(param: Param) -> dict[str, Any]:
    """Return a key of a resolved space as an entry of `parameters`."""
    if param.kind == "fixed":
        return {"value": param.value}
    if param.kind == "categorical":
        return {"values": list(param.choices)}
    ends = {"min": param.low, "max": param.high}
    step = 1 if param.step is None and param.kind == "int" and param.log else param.step
    if step is not None:
        return {"distribution": "q_log_uniform_values" if param.log else "q_uniform", **ends, "q": step}
    if param.kind == "int":
        return {"distribution": "int_uniform", **ends}
    return {"distribution": "log_uniform_values" if param.log else "uniform", **ends}

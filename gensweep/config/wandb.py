"""Translate the distributions of a Weights & Biases sweep file into texts of `--set`, and back.

Their reference: https://docs.wandb.ai/models/sweeps/sweep-config-keys. Ranges can be
translated, also on a logarithmic scale and in multiples of q. A normal or a beta distribution cannot, since every
sampler here searches within a range.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gensweep.errors import UserError, unknown
from search_spaces.param import Param


class Range(NamedTuple):
    """How a distribution with two ends reads them, and what it draws between them."""

    log: bool = False  # drawn on a logarithmic scale
    exponents: bool = False  # `min` and `max` are exponents of e
    inverse: bool = False  # of 1/x, so exponents change their sign
    quantised: bool = False  # in multiples of `q`
    integer: bool = False


RANGES = {
    "int_uniform": Range(integer=True),
    "uniform": Range(),
    "q_uniform": Range(quantised=True),
    "log_uniform": Range(log=True, exponents=True),
    "log_uniform_values": Range(log=True),
    "q_log_uniform": Range(log=True, exponents=True, quantised=True),
    "q_log_uniform_values": Range(log=True, quantised=True),
    "inv_log_uniform": Range(log=True, exponents=True, inverse=True),
    "inv_log_uniform_values": Range(log=True, inverse=True),
}
LISTS = ("categorical", "categorical_w_probabilities")
BELLS = ("normal", "q_normal", "log_normal", "q_log_normal", "beta", "q_beta")
KNOWN = ("constant", *LISTS, *RANGES, *BELLS)
MANY = 10_000  # values of a grid's key


def text_of(value: Any) -> str:
    """Return a value as YAML writes it: `null`, `true`, `[64, 32]`."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {text_of(each)}' for key, each in value.items())}}}"
    return str(value)


def text(key: str, fields: Any, method: str) -> tuple[str, list[str]]:
    """Return the entry of a key in `parameters` as the text after `--set KEY=`, and what of it has no meaning here.

    Raises:
        UserError: it is not a distribution, or cannot be searched here. The message does not name the key.
    """
    if not isinstance(fields, dict) or not fields:
        raise UserError(f"{text_of(fields)}: a mapping such as {{min: 0.0001, max: 0.1}} is needed")
    name = fields["distribution"] if "distribution" in fields else _inferred(fields)
    if name not in KNOWN:
        raise unknown("distribution", str(name), KNOWN)
    if name in BELLS:
        raise UserError(_instead(key, name, fields))
    wanted = {"constant": ("value",), **dict.fromkeys(LISTS, ("values",))}.get(name, ("min", "max"))
    for part in wanted:
        if part not in fields:
            raise UserError(f"a {name} distribution needs {' and '.join(wanted)}")
    also = ("probabilities",) if name in LISTS else ("q",) if name.startswith("q_") else ()
    for part in fields:
        if part not in ("distribution", *wanted, *also):
            raise UserError(f"{part!r} means nothing in a {name} distribution, which has {', '.join((*wanted, *also))}")
    if name == "constant":
        return _one_value(fields["value"]), []
    return _values(fields, method) if name in LISTS else (_range(name, fields, method), [])


def _one_value(value: Any) -> str:
    """Return a single value as text; raise UserError if it is none: a list, or a text that would be read as several."""
    word = text_of(value)
    if value is None:
        raise UserError("null: a number or a word is needed")
    if isinstance(value, list | dict):
        raise UserError(f"{word} is a {'list' if isinstance(value, list) else 'mapping'}, and the key takes one value")
    if isinstance(value, str) and ("," in value or ":" in value):
        raise UserError(f"'{value}' is one text: write a list of values, [a, b], if several are meant")
    return word


def _inferred(fields: Mapping[str, Any]) -> str:
    """Return the distribution of an entry that names none, by the rules of their documentation."""
    if "values" in fields:
        return "categorical"
    if "value" in fields:
        return "constant"
    if not {"min", "max"} <= fields.keys():
        raise UserError(f"{', '.join(map(str, fields))}: value, values, min and max, or a distribution is needed")
    whole = all(isinstance(_number(end, fields[end]), int) for end in ("min", "max"))
    return "int_uniform" if whole else "uniform"


def _number(what: str, value: Any) -> int | float:
    """Return a number, also one that YAML has read as text: in YAML 1.1, 1e-4 is not a number."""
    if isinstance(value, str):
        for kind in (int, float):
            try:
                value = kind(value)
                break
            except ValueError:
                continue
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        shown = repr(value) if isinstance(value, str) else text_of(value)
        raise UserError(f"{what} {shown}: a number is needed")
    return value


def _values(fields: Mapping[str, Any], method: str) -> tuple[str, list[str]]:
    values, chances = fields["values"], fields.get("probabilities")
    if not isinstance(values, list) or not values:
        raise UserError(f"values {text_of(values)}: a list such as [64, 128] is needed")
    notes = []
    if chances is not None:
        notes += [] if method == "random" else ["probabilities"]
        possible = _likely(values, chances, method)
        notes += [f"values {text_of(value)} (its probability is 0)" for value in values if value not in possible]
        values = possible
    return ",".join(map(_one_value, values)), notes


def _likely(values: list[Any], chances: Any, method: str) -> list[Any]:
    """Return the values that have any probability. Of their methods only random uses how large it is."""
    if not isinstance(chances, list) or len(chances) != len(values):
        raise UserError(f"probabilities {text_of(chances)}: one for each of the {len(values)} values is needed")
    numbers = [_number("probabilities", chance) for chance in chances]
    possible = [value for value, chance in zip(values, numbers, strict=True) if chance > 0]
    if not possible or min(numbers) < 0:
        raise UserError(f"probabilities {text_of(chances)}: numbers from 0 on are needed, not all of them 0")
    if method == "random" and len({chance for chance in numbers if chance > 0}) > 1:
        raise UserError("values are drawn with equal chances here: leave the probabilities out, or some of the values")
    return possible


def _range(name: str, fields: Mapping[str, Any], method: str) -> str:
    kind = RANGES[name]
    low, high = _ends(name, fields)
    step = _number("q", fields.get("q", 1)) if kind.quantised else int(kind.integer)
    if kind.quantised and not step > 0:
        raise UserError(f"q {step:g} is too small: more than 0")
    if low == high:
        return str(low)
    if method == "grid" and step and not kind.log:
        return _listed(low, high, step)
    return ":".join([str(low), str(high), "log" if kind.log else "linear", *([str(step)] if step else [])])


def _ends(name: str, fields: Mapping[str, Any]) -> tuple[int | float, int | float]:
    """Return the ends of what is drawn; raise UserError if there can be no such range."""
    kind = RANGES[name]
    low, high = _number("min", fields["min"]), _number("max", fields["max"])
    if low > high:
        raise UserError(f"min {low:g} is above max {high:g}")
    if kind.exponents:
        low, high = (-high, -low) if kind.inverse else (low, high)
        if 0 < low <= high / 2 and high <= 1:  # e to such powers is 1 to 2.7
            raise UserError(
                f"a {name} distribution takes exponents of e, so this is {_exp(low):.6g} to {_exp(high):.6g}: write "
                f"{name}_values"
            )
        return _exp(low), _exp(high)
    if kind.log and low <= 0:
        raise UserError(f"min {low:g}: a logarithmic range starts above 0")
    if kind.integer and not all(isinstance(end, int) for end in (low, high)):
        raise UserError(f"an int_uniform distribution needs whole numbers, not {low:g} and {high:g}")
    return low, high


def _exp(power: float) -> int | float:
    """Return e to a power in twelve digits, as a whole number if the power was the logarithm of one."""
    try:
        value = float(f"{math.exp(power):.12g}")
    except OverflowError:
        raise UserError(f"log_uniform takes exponents: of {power:g}, use log_uniform_values") from None
    return int(value) if value.is_integer() else value


def _listed(low: float, high: float, step: float) -> str:
    """Return the values of a range in steps, for a grid."""
    first, last = math.ceil(low / step), math.floor(high / step)
    if last - first >= MANY:
        raise UserError(f"a grid of {last - first + 1} values: name the few that are meant by values")
    return ",".join(f"{k * step:.12g}" for k in range(first, last + 1))


def _instead(key: str, name: str, fields: Mapping[str, Any]) -> str:
    """Return what to write for a distribution without ends: the range of 95 % of it, within the limits of the key."""
    from trainables.config_schema import KEYS

    if "beta" in name:
        return f"a {name} distribution is not searched here: write a uniform one from min: 0 to max: 1"
    mean, spread = _number("mu", fields.get("mu", 0)), _number("sigma", fields.get("sigma", 1))
    ends: Sequence[float] = (mean - 2 * spread, mean + 2 * spread)
    ranged = "uniform"
    if "log" in name:
        ends, ranged = [_exp(end) for end in ends], "log_uniform_values"
    low, high = (KEYS[key].low, KEYS[key].high) if key in KEYS else (None, None)
    ends = [end if low is None else max(end, low) for end in ends]
    ends = [end if high is None else min(end, high) for end in ends]
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

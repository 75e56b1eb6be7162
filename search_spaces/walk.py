"""A walk through every branch of a define-by-run space.

The space is run again and again, each time with other values. Each suggested value is watched (watched.py): only a key
that the space looked at can have led it into a branch, and only of such a key are the other values tried, depth-first:
every choice of a list, and of a range the values of `_candidates` with those around each number it was compared with.
So every branch is entered that depends on choices, however improbable, or on comparisons of a number with another. A
branch that depends on a number by arithmetic (`n % 7 == 3`) is entered only if one of those values enters it.
"""

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from search_spaces.param import Param, is_number
from search_spaces.space import Config, Space, Trial
from search_spaces.watched import Watched, plain
from trainables.errors import UserError

MOST = 10_000  # runs of a space: some seconds
Result = TypeVar("Result")


class Explorer:
    """A trial that answers with the values it is made with, and with the first candidate for any other key."""

    def __init__(self, values: Config, watch: bool) -> None:
        self.values, self.watch = values, watch
        self.params: dict[str, Param] = {}  # as asked for, in order
        self.answers: Config = {}
        self.compared: dict[str, list[Any]] = {}  # keys that were looked at, and what with

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        answer: float = self._answer(name, Param("float", low, high, log, step))
        return answer

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        answer: int = self._answer(name, Param("int", low, high, log, None if step == 1 else step))
        return answer

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._answer(name, Param("categorical", choices=tuple(choices)))

    def _answer(self, name: str, param: Param) -> Any:
        self.params[name] = param
        value = self.answers[name] = self.values.get(name, _candidates(param, [])[0])
        if self.watch and (is_number(value) or isinstance(value, str)):
            return Watched(value, lambda other: self.compared.setdefault(name, []).append(other))
        self.compared.setdefault(name, [])
        return value

    def others(self) -> Generator[Config]:
        """Yield the values of runs that may take another branch than this one did."""
        prefix: Config = {}
        for key in filter(self.compared.__contains__, self.answers):
            for value in _candidates(self.params[key], self.compared[key]):
                yield {**prefix, key: value}
            prefix[key] = self.answers[key]


def walk(run: Callable[[Trial], Result]) -> Generator[tuple[Explorer, Result]]:
    """Yield each run of `run(trial)`, at least one for every branch, with the trial that it was given.

    Raises:
        UserError: as `run` raises it, or if there are more than MOST branches.
    """
    waiting: list[Config] = [{}]
    known: set[tuple[tuple[str, Any], ...]] = set()
    runs = 0
    while waiting:
        trial, result = _once(run, waiting.pop())
        yield trial, result
        if (runs := runs + 1) > MOST:
            raise UserError(f"the search space has more than {MOST:,} branches: fix some keys with --set key=value")
        taken = [(key, value) for key, value in trial.answers.items() if key in trial.compared]
        known |= {tuple(taken[: i + 1]) for i in range(len(taken))}
        fresh = [values for values in trial.others() if tuple(values.items()) not in known]
        known |= {tuple(values.items()) for values in fresh}
        waiting += reversed(fresh)


def _once(run: Callable[[Trial], Result], values: Config) -> tuple[Explorer, Result]:
    trial = Explorer(values, watch=True)
    try:
        return trial, run(trial)
    except UserError:
        raise
    except Exception:  # noqa: BLE001  some functions of C refuse a watched value: then every key counts as looked at
        trial = Explorer(values, watch=False)
        return trial, run(trial)


def _candidates(param: Param, compared: Sequence[Any]) -> list[Any]:
    """Return the values to try of a key, its first answer first."""
    if not param.is_range:
        return list(param.ends())
    low, high = param.low, param.high
    middle = math.sqrt(low * high) if param.log else (low + high) / 2
    step = param.step or (1 if param.kind == "int" else 0.0)
    near = [low + step, high - step] if step else []
    for other in compared:
        if is_number(other) and math.isfinite(other):
            gap = step or math.ulp(other)
            near += [other - gap, other, other + gap]
    values = [_on_grid(value, low, step) for value in (middle, low, high, *near) if low <= value <= high]
    return list(dict.fromkeys(int(value) if param.kind == "int" else float(value) for value in values))


def _on_grid(value: float, low: float, step: float) -> float:
    return low + step * math.floor((value - low) / step + 1e-9) if step else value


def describe(space: Space) -> dict[str, Param]:
    """Return what the space gives, by key; a range of which only multiples are used has their step."""
    params: dict[str, Param] = {}
    for trial, config in walk(space.space):
        for key, value in config.items():
            param = trial.params.get(key) or Param("fixed", value=plain(value))
            params[key] = params[key].joined(param) if key in params else param
    for key, step in space.steps.items():
        if key in params and params[key].is_range and (params[key].kind, step) != ("int", 1):
            params[key] = replace(params[key], step=step)
    return params

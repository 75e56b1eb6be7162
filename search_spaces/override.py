"""Apply a user's `--set` texts to a define-by-run space, by standing between the space and the trial.

`key=v` pins a key, `key=lo:hi` gives it a range, `key=a,b,c` a list. Each may narrow or widen what the space says, and
may free a key that the space fixes. A range keeps the logarithmic scale of the space, unless it names its own,
`lo:hi:log` or `lo:hi:linear`. `lo:hi:log:8` or `lo:hi:0.1` holds the multiples of a step. Optuna has no steps on a
logarithmic scale: it draws any number there, and the configuration gets the nearest multiple.
"""

import math
import random
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from search_spaces.param import is_number
from search_spaces.space import Config, Space, Trial
from search_spaces.walk import describe
from search_spaces.watched import derived
from trainables.errors import UserError, did_you_mean

SCALES = {"log": True, "linear": False}
TINY = 1e-9  # of a step: 0.3 / 0.1 is a little less than 3


class Setting(NamedTuple):
    """One parsed `--set`. One value in ``values`` pins the key, several are a list to choose from. Without values it is
    a range; ``log`` None keeps the scale of the space, and both ends are multiples of ``step`` (0: no step)."""

    key: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool | None = None
    step: float = 0.0


def literal(text: str) -> Any:
    """Return a whole number, a number, or the text itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def parse(key: str, text: str) -> Setting:
    """Return `"1e-4:1e-2:log"`, `"64,128"` or `"0.5"` as a Setting.

    Raises:
        UserError: an empty or reversed range, a logarithmic one that reaches 0, a bound or a step that is not a number.
    """
    try:
        return _parse_range(key, text.split(":")) if ":" in text else _parse_list(key, text)
    except UserError as error:
        raise UserError(f"--set {key}={text}: {error}") from None


def _parse_list(key: str, text: str) -> Setting:
    values = tuple(literal(part.strip()) for part in text.split(","))
    if "" in values:
        raise UserError(f"a value is missing; write {key}=v, {key}=a,b,c or {key}=lo:hi[:log]")
    if len(set(values)) < len(values):
        raise UserError("a value is given twice")
    return Setting(key, values)


def _parse_range(key: str, parts: list[str]) -> Setting:
    low, high, log, step = _split_range(parts)
    if not low < high:
        raise UserError(f"the range is empty: {low:g} is not below {high:g}")
    if log and low <= 0:
        raise UserError("a logarithmic range must start above 0")
    if not 0 <= step < math.inf:
        raise UserError("a step must be above 0")
    if step:
        low, high = multiple(math.ceil(low / step - TINY), step), multiple(math.floor(high / step + TINY), step)
        if low >= high or (log and low <= 0):
            raise UserError(f"the range holds fewer than two multiples of {step:g}")
    return Setting(key, (), low, high, log, step)


def _split_range(parts: list[str]) -> tuple[float, float, bool | None, float]:
    """Return low, high, scale and step of lo:hi[:log|:linear][:step]."""
    rest = parts[2:]
    log = SCALES[rest.pop(0)] if rest and rest[0] in SCALES else None
    low, high, step, *extra = map(literal, (*parts[:2], *(rest or ["0"])))
    if extra or not all(is_number(number) for number in (low, high, step)):
        raise UserError("a range is two numbers, and a scale or a step if you like: lo:hi[:log][:step]")
    return low, high, log, step


def multiple(k: int, step: float) -> float:
    """Return k times the step, without the last digits of binary fractions."""
    return k * step if isinstance(step, int) else round(k * step, 12)


def _whole(setting: Setting, value: Any) -> int:
    if isinstance(value, str) or value != int(value):
        raise UserError(f"--set {setting.key}: {value!r} is not a whole number")
    return int(value)


def _number(setting: Setting, value: Any) -> float:
    if isinstance(value, str):
        raise UserError(f"--set {setting.key}: {value!r} is not a number")
    return float(value)


class Overridden:
    """A trial that answers as the user set, and passes every other question to the trial that it wraps.

    Values that the wrapped trial suggests are handed on as they are, since a walk of the space watches them.
    """

    def __init__(self, trial: Trial, settings: Mapping[str, Setting], longest: int | None) -> None:
        self.trial, self.settings, self.longest = trial, settings, longest

    def _draw(self, setting: Setting, whole: bool, log: bool) -> Any:
        convert = _whole if whole else _number
        if len(setting.values) == 1:
            return convert(setting, setting.values[0])
        if setting.values:
            return self.trial.suggest_categorical(setting.key, [convert(setting, value) for value in setting.values])
        log = (log and setting.low > 0) if setting.log is None else setting.log
        number = self._whole_number(setting, log) if whole else self._any_number(setting, log)
        if not (log and setting.step):
            return number
        return derived(number, lambda value: convert(setting, multiple(round(value / setting.step), setting.step)))

    def _whole_number(self, setting: Setting, log: bool) -> int:
        low, high, step = (_whole(setting, number) for number in (setting.low, setting.high, setting.step))
        if log or not step:
            return self.trial.suggest_int(setting.key, low, high, log=log)
        return self.trial.suggest_int(setting.key, low, high, step=step)

    def _any_number(self, setting: Setting, log: bool) -> float:
        step = None if log else setting.step or None
        return self.trial.suggest_float(setting.key, setting.low, setting.high, step=step, log=log)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        if name in self.settings:
            number: float = self._draw(self.settings[name], False, log)
            return number
        return self.trial.suggest_float(name, low, high, step=step, log=log)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        if name in self.settings:
            number: int = self._draw(self.settings[name], True, log)
            return number
        if name == "epochs" and self.longest is not None:
            high = self.longest
            low = min(low, high)
        return self.trial.suggest_int(name, low, high, step=step, log=log) if low < high else low

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        setting = self.settings.get(name)
        if setting is None:
            return self.trial.suggest_categorical(name, choices)
        named = {str(choice): choice for choice in choices}  # True, None and texts by what the user reads of them
        if setting.values and all(str(value) in named for value in setting.values):
            chosen = [named[str(value)] for value in setting.values]
            return chosen[0] if len(chosen) == 1 else self.trial.suggest_categorical(name, chosen)
        return self._like(setting, choices[0])

    def fixed(self, name: str, value: Any) -> Any:
        if name in self.settings:
            words = [str(word) for word in self.settings[name].values]
            return value if words == [str(value)] else self._like(self.settings[name], value)
        return self.longest if name == "epochs" and self.longest is not None else value

    def _like(self, setting: Setting, example: Any) -> Any:
        if not isinstance(example, str):
            return self._draw(setting, isinstance(example, int), False)
        if not setting.values:
            raise UserError(f"--set {setting.key}: it takes words, not a range; write {setting.key}=a,b")
        words = [str(value) for value in setting.values]
        return words[0] if len(words) == 1 else self.trial.suggest_categorical(setting.key, words)


class Probe:
    """A trial that answers with the given values, moved inside the space, and else with the middle or the first choice;
    without given values it draws at random. ``drawn`` holds the answers."""

    def __init__(self, seed: int, defaults: Config | None = None) -> None:
        self.random, self.defaults = random.Random(seed), defaults
        self.drawn: Config = {}

    def _number(self, name: str, low: float, high: float, log: bool) -> float:
        if self.defaults is not None:
            middle = (low * high) ** 0.5 if log else (low + high) / 2
            return float(min(max(self.defaults.get(name, middle), low), high))
        return self.random.choice((low, high, self.random.uniform(low, high)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        number = self._number(name, low, high, log)
        self.drawn[name] = float(number if step is None else low + multiple(round((number - low) / step), step))
        return float(self.drawn[name])

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        self.drawn[name] = low + step * round((self._number(name, low, high, log) - low) / step)
        return int(self.drawn[name])

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        if self.defaults is None:
            self.drawn[name] = self.random.choice(list(choices))
        else:
            self.drawn[name] = self.defaults[name] if self.defaults.get(name) in choices else choices[0]
        return self.drawn[name]


def _run(space: Any, settings: Mapping[str, Setting], longest: int | None, trial: Trial) -> Config:
    config: Config = space(Overridden(trial, settings, longest))
    return config


def apply(space: Space, sets: Mapping[str, str], longest: int | None = None) -> Space:
    """Return ``space`` with the user's settings. ``longest`` is the upper bound of a searched ``epochs``, or its value.

    Raises:
        UserError: a text that cannot be read, a wrong type, a key that no trial reads.
    """
    settings = {key: parse(key, text) for key, text in sets.items()}
    steps = {key: setting.step for key, setting in settings.items() if setting.step}
    changed = space._replace(space=partial(_run, space.space, settings, longest), steps=steps)
    known = describe(changed)
    for key in settings:
        if key not in known and key in space.roles:
            raise UserError(f"{key} is set, and no trial reads it with the other settings")
        if key not in known:
            raise UserError(f"--set: {did_you_mean('key', key, sorted(known))}")
    return changed


def default(space: Space) -> tuple[Config, Config]:
    """Return trial 0, which is the defaults moved inside the space, and the part of it that is searched."""
    probe = Probe(0, space.defaults)
    config = space.space(probe)
    return config, probe.drawn

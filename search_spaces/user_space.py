"""The space of a user's model file: its `space(trial)`, OBJECTIVE and DEFAULTS, checked, as a Space like ours.

What `space` returns as a constant is fixed, and `--set` may free it. Keys are the user's own: no schema describes them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from search_spaces import SPACES
from search_spaces.space import Config, Objective, Role, Space, Trial, fixed
from search_spaces.walk import walk
from search_spaces.watched import plain
from trainables.errors import UserError, unknown

MODES = ("min", "max")
OWN_NAMES = ("number", "arm")  # keys by which gensweep names a trial to Ray
PLAIN = (bool, int, float, str, type(None))


ENGINE_KEYS: Config = {  # what the engine reads of a model, and their values if the user's space does not return them
    "batch_size": 128,
    "epochs": 10,
    "steps_per_epoch": 0,
    "beta1": 0.9,
    "beta2": 0.999,
    "weight_decay": 0.0,
    "momentum": 0.0,
    "lr_decay": 0.0,
    "ema": 0.0,
    "precision": "fp32",
}


USER_SPACES: dict[str, Space] = {}  # of the users' models of this process, by name


def find_space(model: str) -> Space:
    """Return the space of a registered model of a user, or of a built-in one; raise UserError if there is none."""
    spaces = {**SPACES, **USER_SPACES}
    if model not in spaces:
        raise unknown("model", model, SPACES)
    return spaces[model]


def user_space(module: ModuleType) -> Space:
    """Return the space of a user's module, whose first objective is the one to stop and choose by.

    Raises:
        UserError: OBJECTIVE, DEFAULTS or `space` is missing or not valid; the message names the file.
    """
    file = str(module.__file__)
    try:
        function = getattr(module, "space", None)
        if not callable(function):
            raise UserError("needs space(trial), which returns the configuration, and has none")

        def space(trial: Trial) -> Config:
            return _run(function, trial, ENGINE_KEYS if hasattr(module, "MODEL") else {})

        defaults = getattr(module, "DEFAULTS", {})
        if not isinstance(defaults, Mapping):
            raise UserError(f"DEFAULTS = {defaults!r}: write a dict such as {{'lr': 1e-3}}")
        roles = _check(space)
        for key in defaults:
            if key not in roles:
                raise UserError(f"DEFAULTS has {key!r}, and space() does not return it")
        return Space(space, objectives(module)[0], dict(defaults), roles)
    except UserError as error:
        raise UserError(f"{file}: {error}") from error


def objectives(module: ModuleType) -> tuple[Objective, ...]:
    """Return OBJECTIVE of a user's module as pairs; raise UserError if it is missing or not valid."""
    value = getattr(module, "OBJECTIVE", None)
    if value is None:
        raise UserError('needs OBJECTIVE = ("fid", "min"), or another key of its rows, and has none')
    pairs = value if isinstance(value, (tuple, list)) and value and isinstance(value[0], (tuple, list)) else (value,)
    for pair in pairs:
        if not (isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[0], str) and pair[1] in MODES):
            shown = pair if isinstance(pair, str) else "fid"
            raise UserError(f'OBJECTIVE = {value!r}: write ("{shown}", "min") or ("{shown}", "max")')
    return tuple((name, mode) for name, mode in pairs)


class _Noting:
    """A trial that notes which keys were suggested."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self.suggested: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._trial, name)
        if not name.startswith("suggest_"):
            return method

        def suggest(key: str, *args: Any, **kwargs: Any) -> Any:
            self.suggested.add(key)
            return method(key, *args, **kwargs)

        return suggest


def _run(function: Callable[[Any], Any], trial: Trial, further: Config) -> Config:
    """Return the configuration, in which a constant is what the user set it to; `further` keys have these values."""
    noting = _Noting(trial)
    config = function(noting)
    if not isinstance(config, dict):
        raise UserError(f"space() returns {_kind(config)}, and a dict of all keys is needed")
    missing = sorted(noting.suggested - config.keys())
    if missing:
        raise UserError(
            f"space() draws {', '.join(missing)} and does not return {'it' if len(missing) == 1 else 'them'}"
        )
    config = {**config, **{key: value for key, value in further.items() if key not in config}}
    return {key: value if key in noting.suggested else fixed(trial, key, value) for key, value in config.items()}


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _check(space: Callable[[Trial], Config]) -> dict[str, Role]:
    """Return the role of every key; raise UserError if a key or a value in some branch of the space is not valid."""
    roles: dict[str, Role] = {}
    for trial, config in walk(space):
        for key, value in config.items():
            if not str(key).isidentifier() or key in OWN_NAMES:
                raise UserError(
                    f"space() returns the key {key!r}: a name such as lr is needed, not {' or '.join(OWN_NAMES)}"
                )
            _check_value(key, plain(value))
            roles[key] = "scientific" if key in trial.params else roles.get(key, "fixed")
        for key, param in trial.params.items():
            for choice in param.choices:
                _check_value(key, choice)
        epochs = plain(config.get("epochs"))
        if not isinstance(epochs, int) or isinstance(epochs, bool) or epochs < 1:
            raise UserError('space() must return "epochs", a whole number of at least 1: the epochs of a trial')
    return roles


def _check_value(key: str, value: Any) -> None:
    if isinstance(value, (list, tuple)):
        for item in value:
            _check_value(key, item)
    elif type(value) not in PLAIN or (isinstance(value, float) and not math.isfinite(value)):
        name = getattr(value, "__name__", type(value).__name__)
        raise UserError(f"{key} = {name}: not a number, text or list; return a name, and look it up in train()")

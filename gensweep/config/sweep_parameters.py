"""Read the `parameters` of a W&B sweep file: each key by itself, so that all faults are named at once."""

import re
from collections.abc import Generator, Mapping
from typing import Any

from gensweep.config import wandb
from gensweep.config.key_names import OPTIONS, unknown_key
from gensweep.config.options import setting_texts
from gensweep.config.yaml_file import Faults
from gensweep.errors import UserError


def read_parameters(
    parameters: Any, method: str, model: str, faults: Faults
) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """Return a hint if a key is unknown, what is searched as texts of `--set` by key, and what of it has no meaning."""
    from search_spaces.user_space import find_space

    roles = find_space(model).roles
    if not isinstance(parameters, dict) or not parameters:
        mapping = "a mapping such as {lr: {min: 0.0001, max: 0.1}} is needed"
        faults.add(("parameters",), f"parameters: {wandb.text_of(parameters)}: {mapping}")
        return "", {}, ()
    texts: dict[str, str] = {}
    notes: list[str] = []
    hint = ""
    for keys, name, entry in _flat(parameters, ()):
        place = ("parameters", *keys)
        if name not in roles:
            faults.add(place, f"parameters: {unknown_key(model, name, roles)}")
            if name.rpartition(".")[2] not in OPTIONS:
                hint = f"the keys of {model}: {', '.join(roles)}"
            continue
        try:
            texts[name], dropped = wandb.text(name, entry, method)
            notes += [f"{name}.{each}" for each in dropped]
            check_alone(model, name, texts[name])
        except UserError as error:
            faults.add(place, f"parameters: {name}: {error}")
    if not faults.faults:
        check_together(model, texts, faults)
    return hint, texts, tuple(notes)


def _flat(
    parameters: Mapping[Any, Any], above: tuple[str, ...]
) -> Generator[tuple[tuple[str, ...], str, Any], None, None]:
    """Yield the keys that lead to each entry, its name, and the entry; nested parameters are joined by dots."""
    for key, entry in parameters.items():
        keys = (*above, str(key))
        if isinstance(entry, dict) and isinstance(entry.get("parameters"), dict):
            yield from _flat(entry["parameters"], (*keys, "parameters"))
        else:
            yield keys, ".".join(part for part in keys if part != "parameters"), entry


def check_alone(model: str, key: str, text: str) -> None:
    """Raise UserError if a setting of one key is not possible, in words that do not name `--set`."""
    from search_spaces.override import apply
    from search_spaces.user_space import find_space
    from search_spaces.walk import describe
    from trainables.config_schema import KEYS, check

    try:
        param = describe(apply(find_space(model), {key: text})).get(key)
        for end in () if param is None or key not in KEYS else param.ends():
            check(key, end)
    except UserError as error:
        if "no trial reads it" not in str(error):  # with the other keys of the file one may
            raise UserError(without_option(key, text, str(error))) from error


def without_option(key: str, text: str, error: str) -> str:
    """Return an error of a setting without `--set KEY=TEXT`, which was not typed."""
    return re.sub(rf"^(--set )?{re.escape(key)}((={re.escape(text)})?: |=)", "", error)


def check_set(settings: Mapping[str, Any], model: str, faults: Faults) -> None:
    """Add the faults of `set` of a file of options."""
    from search_spaces.user_space import find_space

    roles = find_space(model).roles
    for key, value in settings.items():
        if key not in roles:
            faults.add(("set", key), f"set: {unknown_key(model, key, roles)} (known: {', '.join(roles)})")
        elif isinstance(value, str | int | float):
            try:
                check_alone(model, key, str(value))
            except UserError as error:
                faults.add(("set", key), f"set: {key}: {error}")


def check_together(model: str, settings: Mapping[str, Any], faults: Faults) -> None:
    """Add a fault for a parameter that no trial reads with the others."""
    try:
        rest(model, settings)
    except UserError as error:
        key = next((key for key in settings if str(error).startswith(f"{key} is set")), None)
        if key is None:
            raise
        faults.add(("parameters", key), f"parameters: {error}")


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

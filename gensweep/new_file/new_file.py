"""Write a new model file from a template; its space may come from a Weights & Biases sweep file."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from gensweep.config.save_file import write_new
from gensweep.config.sweep_yaml import GOALS
from gensweep.errors import UserError

KINDS = ("vae", "gan", "diffusion", "flow", "autoencoder", "blank")


def write_new_file(path: str, kind: str, from_wandb: str | None) -> None:
    """Write a model file of a kind to a new path.

    Raises:
        UserError: the path exists, is not that of a Python file, or cannot be written; the sweep file is not valid.
    """
    target = Path(path)
    if target.suffix != ".py" or not target.stem.isidentifier():
        raise UserError(f"{path}: name a Python file, such as my_model.py")
    template = (files("gensweep.new_file") / "templates" / f"{kind}.py.txt").read_text(encoding="utf-8")
    text = template.format(path=path, name=target.stem)
    if from_wandb is not None:
        text = with_wandb(text, from_wandb)
    write_new(target, text)


def with_wandb(text: str, path: str) -> str:
    """Return a model file whose OBJECTIVE and `space` are those of a sweep file; DEFAULTS is left out.

    Raise UserError if the file is not a Weights & Biases sweep file.
    """
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path} is not a readable YAML file: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not isinstance(content.get("parameters"), dict):
        raise UserError(f"{path} has no `parameters`: is it a sweep file of Weights & Biases?")
    method = str(content.get("method", "random"))
    lines = [_line(str(key), entry, method) for key, entry in content["parameters"].items()]
    names = set(map(str, content["parameters"]))
    lines += [f'"{key}": {value},' for key, value in (("batch_size", 64), ("epochs", 10)) if key not in names]
    space = "".join(f"        {line}\n" for line in lines)
    metric = content.get("metric") or {}
    name, mode = str(metric.get("name", "fid")), GOALS.get(str(metric.get("goal", "minimize")), "min")
    text = re.sub(r"OBJECTIVE = .*\n", f'OBJECTIVE = ("{_identifier(name)}", "{mode}")  # was {name} in {path}\n', text)
    text = re.sub(r"DEFAULTS = .*\n", "", text)
    body = f"def space(trial):  # from {path}\n    return {{\n{space}    }}\n"
    return re.sub(r"def space\(trial\):.*?(?=\n\n\n)", lambda _: body.rstrip(), text, flags=re.S)


def _line(key: str, entry: Any, method: str) -> str:
    """Return the line of a space for one parameter; a comment if it cannot be searched here."""
    from gensweep.config import wandb
    from search_spaces.override import parse

    name = _identifier(key)
    if isinstance(entry, dict) and set(entry) == {"value"}:
        return f'"{name}": {entry["value"]!r},'
    if isinstance(entry, dict) and isinstance(entry.get("values"), list):
        return f'"{name}": trial.suggest_categorical("{name}", {entry["values"]!r}),'
    try:
        setting = parse(name, wandb.text(name, entry, method)[0])
    except UserError as error:
        return f"# {key}: {error}"
    if setting.values:
        return f'"{name}": trial.suggest_categorical("{name}", {list(setting.values)!r}),'
    whole = isinstance(setting.low, int) and isinstance(setting.high, int) and isinstance(setting.step, int)
    options = ", log=True" if setting.log else f", step={setting.step!r}" if setting.step else ""
    return (
        f'"{name}": trial.suggest_{"int" if whole else "float"}("{name}", {setting.low!r}, {setting.high!r}{options}),'
    )


def _identifier(key: str) -> str:
    """Return a key as a name of Python: `model.lr` is model_lr."""
    name = re.sub(r"\W", "_", key)
    return f"_{name}" if name[:1].isdigit() else name

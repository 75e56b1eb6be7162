"""Take a user's model file in place of a model's name: read it, check its space, and register both under its name."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gensweep.errors import UserError
from trainables.user_model.code_folder import CodeFolder, count_differing, differing_lines, unzipped
from trainables.user_model.model import Facts, UserModel
from trainables.user_model.model_file import errors_located, execute, is_model_file, read_model_file
from trainables.user_model.registry import USER_MODELS, register

if TYPE_CHECKING:
    from analysis.read.manifest import SweepManifest
    from trainables.data import Dataset
    from trainables.user_model.engine_probe import EngineProbe
    from trainables.user_model.model import MetricFacts
    from trainables.user_model.probe import Probe


WRITE_FILE = "write its code to a file (in a notebook: %%writefile my_model.py) and give that: Sweep('my_model.py')"
CODE_COPY = "code.zip"  # beside sweep.json; to be read by people, and never executed


def is_user_model(model: str) -> bool:
    """Return whether a model's name is that of a registered model file."""
    return model in USER_MODELS


def file_of(model: Any) -> str:
    """Return the name of a model, or the path of its file, from what a user gives as a model in Python.

    Raises:
        UserError: it has no file, such as a function or a gs.Model object of a notebook.
    """
    from types import ModuleType

    if isinstance(model, str):
        return model
    if isinstance(model, os.PathLike):
        return str(model)
    if isinstance(model, ModuleType) and model.__name__ != "__main__":
        path = getattr(model, "__file__", None)
        if path is None or not is_model_file(path) or path.endswith("__init__.py"):
            raise UserError(f"model: the module {model.__name__} is not one Python file; {WRITE_FILE}")
        return str(path)
    kind = "the main script" if isinstance(model, ModuleType) else f"a {type(model).__name__} object"
    raise UserError(f"model: {kind} cannot travel to the workers, and a file can; {WRITE_FILE}")


def register_file(path: str, code: str | None = None) -> str:
    """Execute a user's file, register its model and its space, and return the name of the model.

    `code` is the folder of the modules that it imports, if it has any.

    Raises:
        UserError: the file cannot be read or executed, or its space is not valid.
    """
    from search_spaces.user_space import USER_SPACES, objectives, user_space
    from trainables.user_model.engine_model import engine_model_of
    from trainables.user_model.train import train_function

    file = read_model_file(path, code)
    module = execute(file)
    interface = "model"
    if engine_model_of(module) is None:
        interface = "train"
        train_function(module)
    space = user_space(module)
    facts = Facts(doc=(module.__doc__ or "").strip(), interface=interface)
    register(UserModel(file.name, facts, file, objectives(module)))
    USER_SPACES[file.name] = space
    return file.name


def needs_probe(name: str) -> bool:
    """Return whether a model is a user's whose file was registered, and not probed yet."""
    return is_user_model(name) and USER_MODELS[name].bytes_of_trial == (0, 0)


def probe_model(name: str, data: "Dataset") -> None:
    """Train a registered model for a few batches of the data with its defaults, and register what was found out.

    Raises:
        UserError: `train` does not work, with the line of the file; or a key that is searched is never read.
    """
    from search_spaces.override import default
    from search_spaces.user_space import find_space
    from search_spaces.walk import describe
    from trainables.user_model.metric_source import metric_sources

    model = USER_MODELS[name]
    file = model.code
    space = find_space(name)
    config = default(space)[0]
    with errors_located(file):
        probed = _probed(model, config, data)
    params = describe(space)
    unread = [key for key in config if params[key].searched and key not in probed.read and key != "epochs"]
    if unread:
        raise UserError(
            f"{file.file_name}: space() offers {', '.join(unread)}, which train() never reads: the sweep would tune "
            "nothing"
        )
    sources = metric_sources(file.text, [about.metric for about in probed.facts.metrics.values()])
    metrics = {key: about._replace(source=sources[about.metric]) for key, about in probed.facts.metrics.items()}
    facts = probed.facts._replace(metrics=metrics)
    register(replace(model, facts=facts, bytes_of_trial=(probed.checkpoint_bytes, probed.best_bytes)))


def _probed(model: UserModel, config: dict[str, Any], data: "Dataset") -> "Probe | EngineProbe":
    if model.facts.interface == "model":
        from trainables.config_schema import KEYS, check
        from trainables.user_model.engine_model import build_model
        from trainables.user_model.engine_probe import probe_engine_model

        for key in config.keys() & KEYS.keys():
            check(key, config[key])
        return probe_engine_model(build_model(model.code), config, data)
    from trainables.user_model.probe import probe

    return probe(execute(model.code), config, data)


def recorded(name: str) -> dict[str, Any] | None:
    """Return what `sweep.json` holds of a user's model: path, sha256 and facts; None for a built-in model."""
    if not is_user_model(name):
        return None
    model = USER_MODELS[name]
    code = model.code.code
    return {
        "path": model.code.path,
        "sha256": model.code.sha256,
        "code": None if code is None else {"path": code.path, "sha256": code.sha256},
        "facts": model.facts.to_json(),
        "bytes": model.bytes_of_trial,
    }


def own_keys(name: str) -> list[str]:
    """Return the keys of rows that a user's model logs or measures itself; none for a built-in model."""
    return [*USER_MODELS[name].facts.logged, *USER_MODELS[name].facts.measured] if is_user_model(name) else []


def metric_facts(name: str) -> "Mapping[str, MetricFacts]":
    """Return what is known of the keys of METRICS of a user's model; nothing for a built-in model."""
    return USER_MODELS[name].facts.metrics if is_user_model(name) else {}


def objectives(name: str) -> list[tuple[str, str]]:
    """Return OBJECTIVE of a user's model as pairs; none for a built-in model."""
    return list(USER_MODELS[name].objectives) if is_user_model(name) else []


def allow_data(dataset: str, model: str | None = None) -> None:
    """Let the function of a data set such as `my_model.py:data` be executed, since the user has named its file.

    With `model` only a registered model's file is executed. Raise UserError if the file cannot be read.
    """
    from trainables.data.source_name import function_of

    if function_of(dataset) is None or (model is not None and not is_user_model(model)):
        return
    from trainables.data.function_source import allow

    allow(dataset, None if model is None else USER_MODELS[model].code)


def save_copy(directory: Path, manifest: "SweepManifest") -> None:
    """Write the text of a user's model beside sweep.json, to be read by people; nothing executes it."""
    if manifest.user_model is not None:
        file = USER_MODELS[manifest.model].code
        (directory / file.file_name).write_text(file.text, encoding="utf-8")
        if file.code is not None:
            (directory / CODE_COPY).write_bytes(file.code.zipped)


def _check_same_code(directory: Path, manifest: "SweepManifest", code: CodeFolder | None) -> None:
    """Raise UserError unless the modules that travel with the file are those that the sweep began with."""
    assert manifest.user_model is not None
    recorded_code = manifest.user_model.get("code")
    if recorded_code is None and code is not None:
        raise UserError(f"{directory} began without --code: leave it out, or start a new sweep with --name")
    if recorded_code is None:
        return
    if code is None:
        typed = recorded_code["path"]
        raise UserError(f"{directory} trains with modules of your own: name their folder, --code {typed}")
    if code.sha256 == recorded_code["sha256"]:
        return
    copy = directory / CODE_COPY
    differing = differing_lines(unzipped(copy.read_bytes()), code.files) if copy.exists() else {}
    n = sum(differing.values())
    differ = f" ({n} line{'s' * (n != 1)} differ{'s' * (n == 1)}, in {', '.join(differing)})" if n else ""
    raise UserError(
        f"--code {code.path} is not the code that {directory} began with{differ}: resume with the old one, whose copy "
        f"is {copy}, or start a new sweep with --name"
    )


def check_same_file(directory: Path, manifest: "SweepManifest") -> None:
    """Raise UserError unless the file that a sweep trains is registered, as it was when the sweep began."""
    if manifest.user_model is None:
        return
    if not is_user_model(manifest.model):
        raise UserError(f"{directory} trains a model of your own: name its file, {' '.join(manifest.file_words)}")
    model = USER_MODELS[manifest.model]
    file = model.code
    if file.sha256 != manifest.user_model["sha256"]:
        copy = directory / file.file_name
        n = count_differing(copy.read_text(), file.text) if copy.exists() else 0
        differ = f" ({n} line{'s' * (n != 1)} differ{'s' * (n == 1)})" if n else ""
        raise UserError(
            f"{file.path} is not the file that {directory} began with{differ}: resume with the old one, whose copy is "
            f"{copy}, or start a new sweep with --name"
        )
    _check_same_code(directory, manifest, file.code)
    facts, sizes = Facts.from_json(manifest.user_model["facts"]), tuple(manifest.user_model["bytes"])
    register(replace(model, facts=facts, bytes_of_trial=sizes))

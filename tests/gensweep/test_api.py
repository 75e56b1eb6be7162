"""The Python API without a run."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from helpers.user_files import write_file

from gensweep import Sweep
from gensweep.errors import UserError


def test_api__numbers_in_set() -> None:
    assert Sweep("vae", set={"width": 16, "lr": [1e-3, 0.01]}).options.set == {"width": "16", "lr": "0.001,0.01"}
    with pytest.raises(UserError, match="a text is needed"):
        Sweep("vae", name=5)


def test_api__model_of_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_file(tmp_path, name="imported.py")
    spec = importlib.util.spec_from_file_location("imported", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for model in (module, file):
        assert Sweep(model).options.model == "imported"


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda config, data, trial: None, "model: a function object cannot travel to the workers, and a file can"),
        (sys.modules["__main__"], "model: the main script cannot travel"),
        (ModuleType("made"), "model: the module made is not one Python file"),
    ],
)
def test_api__model_without_a_file(model: ModuleType, says: str) -> None:
    with pytest.raises(UserError, match=says) as raised:
        Sweep(model)
    assert "in a notebook: %%writefile my_model.py" in str(raised.value)


def test_api__code_of_a_built_in_model() -> None:
    with pytest.raises(UserError, match="goes with the file of your own model"):
        Sweep("vae", code="./")

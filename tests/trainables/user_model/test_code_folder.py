"""The modules that travel with a model file: which files, and that none is left behind in the process."""

import sys
from pathlib import Path

import pytest
from helpers.user_files import IMPORTS, USES, small_file, write_code

from trainables.errors import UserError
from trainables.user_model import code_folder
from trainables.user_model.code_folder import differing_lines, read_code_folder, unzipped
from trainables.user_model.model_file import ModelFile, execute, modules_importable, read_model_file

NAMES = ["blocks/__init__.py", "blocks/last.py", "my_layers.py"]


def test_code_folder__text_files_only(tmp_path: Path) -> None:
    file = write_code(tmp_path)
    for name in (
        ".git/config",
        "__pycache__/x.py",
        "env/pyvenv.cfg",
        "env/lib.py",
        "results/a/sweep.json",
        "results/a/b.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0\0")
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    code = read_code_folder(str(tmp_path), str(file))
    assert sorted(code.files) == NAMES
    assert str(code) == "3 files, 1 kB"
    (tmp_path / "picture.png").write_bytes(b"\0other")
    assert read_code_folder(f"{tmp_path}/", str(file)).sha256 == code.sha256


def test_code_folder__refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_code(tmp_path / "code")
    with pytest.raises(UserError, match="nowhere: not a folder"):
        read_code_folder(str(tmp_path / "nowhere"), str(file))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no Python file besides the model file"):
        read_code_folder(str(tmp_path / "empty"), str(file))
    (tmp_path / "code" / "a.txt").write_text("x" * 900)
    monkeypatch.setattr(code_folder, "MAX_BYTES", 1000)
    with pytest.raises(UserError, match=r"the largest so far is a.txt \(0.0 MB\)"):
        read_code_folder(str(tmp_path / "code"), str(file))


def test_code_folder__lines_that_differ() -> None:
    old, new = {"a.py": "1\n2\n", "b.py": "1\n", "c.py": ""}, {"a.py": "1\n3\n", "b.py": "1\n", "d.py": "1\n2\n"}
    assert differing_lines(old, new) == {"a.py": 2, "c.py": 1, "d.py": 2}
    with pytest.raises(UserError, match="not a zip of text files"):
        unzipped(b"no zip")


def test_shipped_modules__none_is_left_behind(tmp_path: Path) -> None:
    before = sys.modules.copy()
    path_before, finders_before = list(sys.path), list(sys.meta_path)
    file = read_model_file(str(write_code(tmp_path / "first")), str(tmp_path / "first"))
    module = execute(file)
    assert not {"my_layers", "blocks", "blocks.last"} & sys.modules.keys()
    assert (sys.path, sys.meta_path) == (path_before, finders_before)
    assert {name: sys.modules[name] for name in before} == before
    with modules_importable(module):  # what runs later sees the same modules
        assert sys.modules["my_layers"] is module.my_layers
        assert module.my_layers.__file__ == "my_layers.py"
    other = write_code(tmp_path / "second")
    (tmp_path / "second" / "my_layers.py").write_text("def first(n, width):\n    return 'second'\n")
    second = execute(read_model_file(str(other), str(tmp_path / "second")))
    assert second.my_layers.first(1, 1) == "second"
    assert module.my_layers.first(1, 1) != "second"


def test_shipped_modules__hide_installed_ones_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "yaml.py").write_text("MINE = True\n")
    (tmp_path / "json.py").write_text("MINE = True\n")  # Python's own stay Python's own
    path = tmp_path / "my_model.py"
    path.write_text("import json\nimport yaml\n")
    module = execute(read_model_file(str(path), str(tmp_path)))
    assert module.yaml.MINE
    assert module.json is sys.modules["json"]
    import yaml

    assert not hasattr(yaml, "MINE")


def test_shipped_modules__errors_name_their_line(tmp_path: Path) -> None:
    file = write_code(tmp_path)
    (tmp_path / "my_layers.py").write_text("x = 1\nx.y\n")
    with pytest.raises(UserError, match=r"my_layers.py:2: AttributeError: 'int' object has no attribute 'y'"):
        execute(read_model_file(str(file), str(tmp_path)))
    (tmp_path / "my_layers.py").write_text("x = \n")
    with pytest.raises(UserError, match=r"my_layers.py:1: invalid syntax"):
        execute(read_model_file(str(file), str(tmp_path)))


def test_shipped_modules__without_them(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"my_model.py:4: ModuleNotFoundError: No module named 'my_layers'"):
        execute(ModelFile("my_model.py", small_file(IMPORTS, *USES)))

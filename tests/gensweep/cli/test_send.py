"""What `submit` sends of a command: a model file, its modules and a data function, under paths that hold a hash."""

from pathlib import Path

import pytest
from helpers.user_files import write_code

from gensweep.cli.parser import parsed
from gensweep.cli.send import local_files, named_here, named_there


def test_send__what_lies_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_code(tmp_path / "code")
    words = ["run", "code/my_model.py", "--code=code", "--dataset", "code/my_model.py:data", "--trials", "3"]
    files = local_files(parsed(words))
    assert [file.here for file in files] == ["code/my_model.py", "code"]
    model, code = files
    assert set(model.files) == {"my_model.py"}
    assert set(code.files) == {"code/my_layers.py", "code/blocks/__init__.py", "code/blocks/last.py"}
    there = named_there(words, files)
    assert there == ["run", model.there, f"--code={code.there}", "--dataset", f"{model.there}:data", "--trials", "3"]
    assert named_here(f"next: gensweep finalize x --model {model.there}", files).endswith("--model code/my_model.py")
    assert local_files(parsed(words)) == files
    (tmp_path / "code" / "my_model.py").write_text("")
    assert local_files(parsed(words))[0].there != model.there


@pytest.mark.parametrize(
    "words", [["run", "gan", "--dataset", "mnist"], ["run", "there/my_model.py"], ["status", "mine"]]
)
def test_send__nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert local_files(parsed(words)) == []
    assert named_there(words, []) == words

"""`gensweep new`: every kind passes the check as it is, on grey and on colour images, and nothing is overwritten."""

from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import refused
from helpers.datafiles import paint

from gensweep.check.line import Line
from gensweep.check.run_check import check_running
from gensweep.check.source import check_source
from gensweep.cli.main import main
from gensweep.new_file.new_file import KINDS
from search_spaces.user_space import user_space
from search_spaces.walk import describe
from trainables.user_model.model_file import execute, read_model_file

SWEEP = """
method: bayes
metric: {name: val/loss, goal: minimize}
parameters:
  learn_rate: {distribution: log_uniform_values, min: 0.0001, max: 0.1}
  hidden_dim: {values: [200, 400]}
  latent_dim: {min: 2, max: 20}
  dropout: {distribution: normal, mu: 0.1, sigma: 0.1}
  model.depth: {value: 3}
"""


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dataset", ["digits", pytest.param("colour", marks=pytest.mark.slow)])
def test_new_file__passes_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str, dataset: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "my_model.py", "--kind", kind]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "next: gensweep check my_model.py"
    if dataset == "colour":
        paint(tmp_path / "images", {"a": 200, "b": 200}, "RGB")
        dataset = f"folder:{tmp_path / 'images'}"
    file, lines = read_model_file("my_model.py"), list[Line]()
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    check_running(file, dataset, None, lines.append)
    assert [str(line) for line in [*check_source(file), *lines] if line.mark != " "] == []


def test_new_file__from_a_sweep_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    assert main(["new", "mine.py", "--from-wandb", "sweep.yaml"]) == 0
    text = (tmp_path / "mine.py").read_text()
    assert 'OBJECTIVE = ("val_loss", "min")  # was val/loss in sweep.yaml' in text
    assert "        # dropout: " in text
    params = describe(user_space(execute(read_model_file("mine.py"))))
    assert {key: param.text() for key, param in params.items()} == {
        "learn_rate": "0.0001 to 0.1 (log)",
        "hidden_dim": "200, 400",
        "latent_dim": "2 to 20",
        "model_depth": "3",
        "batch_size": "64",
        "epochs": "10",
    }
    assert np.isclose(params["learn_rate"].low, 1e-4)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("there.py", "there.py already exists"),
        ("there.txt", "name a Python file"),
        ("no/there.py", "cannot be written: No such file or directory"),
        ("a.py --kind gun", "invalid choice: 'gun'"),
        ("a.py --from-wandb nowhere.yaml", "nowhere.yaml is not a readable YAML file"),
        ("a.py --from-wandb there.py", "there.py has no `parameters`"),
    ],
)
def test_new_file__refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.py").write_text("a: b\n")
    assert says in refused(capsys, "new", *words.split())
    assert (tmp_path / "there.py").read_text() == "a: b\n"
    assert not (tmp_path / "a.py").exists()

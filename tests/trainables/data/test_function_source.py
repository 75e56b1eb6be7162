"""FILE.py:FUNCTION: what a function of the user's may return, when it is executed, and what is wrong with it."""

from pathlib import Path

import numpy as np
import pytest

from trainables.data import function_source, load
from trainables.data.function_source import allow
from trainables.errors import UserError
from trainables.user_model.model_file import read_model_file

SOUND = """
import numpy as np
import gensweep as gs

def data(root):
    (root / "calls").touch()
    images = np.arange(60 * 64).reshape(60, 8, 8) % 251
    return gs.images(images, labels=np.arange(60) % 3)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("trainables.data.function_source._ALLOWED", {})


def returns(expression: str, folder: Path) -> str:
    """Write a file whose function returns an expression and return the name of its data set, which may run."""
    text = "import numpy as np, torch\nimport gensweep as gs\nx = np.arange(60 * 64).reshape(60, 8, 8) % 251\n\n\n"
    (folder / "mine.py").write_text(f"{text}def data(root):\n    return {expression}\n")
    name = f"{folder / 'mine.py'}:data"
    allow(name)
    return name


def test_function_source__runs_once_and_only_if_named(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SOUND)
    name = f"{tmp_path / 'mine.py'}:data"
    with pytest.raises(UserError, match="a function of yours, which is executed only if this command names its file"):
        load(name, tmp_path)
    assert not (tmp_path / "calls").exists()
    allow(name)
    first = load(name, tmp_path)
    assert (tmp_path / "calls").exists()
    assert (first.shape, first.classes, len(first.train)) == ((1, 8, 8), ("0", "1", "2"), 48)
    (tmp_path / "calls").unlink()
    function_source._ALLOWED.clear()
    again = load(name, tmp_path)  # from the cache, as `report` does
    assert not (tmp_path / "calls").exists()
    assert again.fingerprint == first.fingerprint
    assert (np.asarray(again.val.pixels) == np.asarray(first.val.pixels)).all()


def test_function_source__only_the_file_of_the_model(tmp_path: Path) -> None:
    other, mine = tmp_path / "other.py", tmp_path / "mine.py"
    for path in (other, mine):
        path.write_text(SOUND)
    name = f"{mine}:data"
    allow(name, read_model_file(str(other)))
    with pytest.raises(UserError, match="a function of yours"):
        load(name, tmp_path)
    allow(name, read_model_file(str(mine)))
    assert len(load(name, tmp_path).train) == 48


@pytest.mark.parametrize(
    ("expression", "sizes"),
    [
        ("gs.images(torch.tensor(x))", [48, 6, 6]),
        ("gs.images(x, groups=np.arange(60) // 3)", [48, 6, 6]),
        ("gs.images(x, val=x[:20], test=x[:30])", [60, 20, 30]),
        ("gs.images((x, np.arange(60) % 3), test=(x[:30], np.arange(30) % 3))", [54, 6, 30]),
    ],
)
def test_function_source__what_it_may_return(tmp_path: Path, expression: str, sizes: list[int]) -> None:
    data = load(returns(expression, tmp_path), tmp_path)
    assert [len(split) for split in (data.train, data.val, data.test)] == sizes


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("x", r"mine\.py: data\(\) returns ndarray: return gensweep\.images\(images, labels\)"),
        ("gs.images(x, labels=[1])", r"data\(\) gives 1 labels and 60 images"),
        ("gs.images(x[:5])", r"data\(\) has 5 images: at least 10 are needed"),
        ("gs.images(x / 0)", r"data\(\): 60 of 60 images have values that are nan or infinite"),
        ("gs.images(missing)", r"mine\.py:7: NameError: name 'missing' is not defined"),
        ("gs.images(np.load(root / 'x.npy'))", r"mine\.py:7: FileNotFoundError: "),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_function_source__bad_results(tmp_path: Path, expression: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        load(returns(expression, tmp_path), tmp_path)


def test_function_source__bad_names(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.py cannot be read"):
        allow(f"{tmp_path}/nowhere.py:data")
    allow(returns("gs.images(x)", tmp_path).replace(":data", ":date"))
    with pytest.raises(UserError, match=r"mine\.py has no function date\(root\)"):
        load(f"{tmp_path / 'mine.py'}:date", tmp_path)

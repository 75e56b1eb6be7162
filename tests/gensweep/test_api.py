"""The Python API without a run."""

import pytest

from gensweep import Sweep
from gensweep.errors import UserError


def test_api__numbers_in_set() -> None:
    assert Sweep("vae", set={"width": 16, "lr": [1e-3, 0.01]}).options.set == {"width": "16", "lr": "0.001,0.01"}
    with pytest.raises(UserError, match="a text is needed"):
        Sweep("vae", name=5)

"""Every question that is asked of one key of a space."""

import json
import math

import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from search_spaces.param import Param

LOG = Param("float", 1e-4, 1e-2, True)
STEPPED = Param("float", 0.0, 1.0, False, 0.25)
WHOLE = Param("int", 8, 64, True, 8)
WORDS = Param("categorical", choices=("mlp", "conv", "none"))
FIXED = Param("fixed", value=10)


@pytest.mark.parametrize(
    ("param", "text", "entry"),
    [
        (LOG, "0.0001 to 0.01 (log)", {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True}),
        (
            STEPPED,
            "0 to 1 in steps of 0.25",
            {"kind": "float", "low": 0.0, "high": 1.0, "log": False, "step": 0.25},
        ),
        (WHOLE, "8 to 64 in steps of 8 (log)", {"kind": "int", "low": 8, "high": 64, "log": True, "step": 8}),
        (WORDS, "mlp, conv, none", {"kind": "categorical", "choices": ["mlp", "conv", "none"]}),
        (FIXED, "10", {"kind": "fixed", "value": 10}),
    ],
)
def test_text_and_json(param: Param, text: str, entry: dict[str, object]) -> None:
    assert param.text() == text
    assert param.to_json() == entry
    assert Param.from_json(json.loads(json.dumps(entry))) == param


@pytest.mark.parametrize(
    ("param", "distribution"),
    [
        (LOG, FloatDistribution(1e-4, 1e-2, log=True)),
        (STEPPED, FloatDistribution(0.0, 1.0, step=0.25)),
        (WHOLE, IntDistribution(8, 64, log=True)),  # Optuna has no steps on a logarithmic scale
        (Param("int", 8, 64, False, 8), IntDistribution(8, 64, step=8)),
        (WORDS, CategoricalDistribution(("mlp", "conv", "none"))),
    ],
)
def test_to_optuna(param: Param, distribution: BaseDistribution) -> None:
    assert param.to_optuna() == distribution


def test_position() -> None:
    assert [LOG.position(value) for value in (1e-4, 1e-3, 1e-2)] == pytest.approx([0, 0.5, 1])
    assert [STEPPED.position(value) for value in (0, 0.25, 1)] == [0, 0.25, 1]
    assert [WORDS.position(value) for value in WORDS.choices] == [0, 0.5, 1]
    assert FIXED.position(10) == 0.5
    assert math.isnan(LOG.position(None))
    assert math.isnan(LOG.position(math.nan))


def test_contains() -> None:
    assert all(LOG.contains(value) for value in (1e-4, 1e-3, 1e-2))
    assert not any(LOG.contains(value) for value in (0.1, "0.001", True, None))
    assert WORDS.contains("mlp")
    assert not WORDS.contains("resnet")
    assert FIXED.contains(10)
    assert not FIXED.contains(11)


def test_largest() -> None:
    assert [param.largest() for param in (WHOLE, Param("categorical", choices=(64, 256, 128)), FIXED)] == [64, 256, 10]


def test_json_refuses_what_is_not_converted() -> None:
    with pytest.raises(TypeError):
        json.dumps(LOG)

"""The class histogram against hand numbers."""

from __future__ import annotations

import math

import pytest
import torch

from trainables.metrics import (
    EvalInputs,
    Evaluator,
)
from trainables.metrics.classes import classes, effective


def test_classes__shares_and_modes_by_hand(evaluator: Evaluator) -> None:
    named = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    logits = torch.nn.functional.one_hot(named, 10).float()
    found = classes(EvalInputs(evaluator, torch.zeros(8, 1, 8, 8), torch.zeros(8, 64), logits))
    assert found["class_shares"] == [0.25] * 4 + [0.0] * 6
    assert found["modes"] == pytest.approx(4.0)
    assert effective(torch.tensor([1.0, 0.0])) == 1.0
    # H = 3/4 ln 4/3 + 1/4 ln 4
    assert effective(torch.tensor([0.75, 0.25])) == pytest.approx(math.exp(0.75 * math.log(4 / 3) + 0.25 * math.log(4)))

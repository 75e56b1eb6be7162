"""The estimated size of a checkpoint against a real one."""

import io

import pytest
import torch
from helpers.trials import digits, small

from trainables import MODELS, TRAINABLES
from trainables.engine.estimate import measure_bytes as bytes_of


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_estimate__checkpoint_size(name: str) -> None:
    config, data = small(name, epochs=1, batch_size=64), digits()
    (epoch,) = TRAINABLES[name](config, data, 3)
    buffer = io.BytesIO()
    torch.save(epoch.snapshot(), buffer)
    found = bytes_of(MODELS[name], config, data)
    assert buffer.tell() == pytest.approx(found.checkpoint, abs=6000)  # the row and the last scores
    assert sum(value.nbytes for value in epoch.weights().values()) == found.best

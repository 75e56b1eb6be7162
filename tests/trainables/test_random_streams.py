"""Random streams are functions of their names."""

import torch

from trainables import random_streams
from trainables.random_streams import Draw


def test_random_streams__functions_of_their_names() -> None:
    spec = Draw("normal", (3,))
    first = random_streams.draw(spec, 5, "cpu", 1, "z", 7)
    torch.randn(10)
    assert torch.equal(first, random_streams.draw(spec, 5, "cpu", 1, "z", 7))
    others = [random_streams.draw(spec, 5, "cpu", *where) for where in ((2, "z", 7), (1, "y", 7), (1, "z", 8))]
    assert not any(torch.equal(first, other) for other in others)
    assert random_streams.derive(1, "a", "b") != random_streams.derive(1, "ab") != random_streams.derive(1, "a", 0)

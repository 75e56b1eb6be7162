"""Random streams are functions of their names, and seeds stay the same from version to version."""

import torch

from trainables import random_streams
from trainables.random_streams import Draw, derive_seed


def test_random_streams__functions_of_their_names() -> None:
    spec = Draw("normal", (3,))
    first = random_streams.draw(spec, 5, "cpu", 1, "z", 7)
    torch.randn(10)
    assert torch.equal(first, random_streams.draw(spec, 5, "cpu", 1, "z", 7))
    others = [random_streams.draw(spec, 5, "cpu", *where) for where in ((2, "z", 7), (1, "y", 7), (1, "z", 8))]
    assert not any(torch.equal(first, other) for other in others)
    assert derive_seed(1, "a", "b") != derive_seed(1, "ab") != derive_seed(1, "a", 0)


def test_derive_seed__never_changes() -> None:
    """A resumed sweep and a resumed search would compute other numbers."""
    assert derive_seed(7, "trial", 3) == 2967647338760767672
    assert derive_seed(7, "trial", 3, bits=32) == 1834661181
    assert derive_seed(0, "trial", 12, "lr", bits=32) == 3469701415

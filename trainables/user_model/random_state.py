"""The global random generators of torch, numpy and Python: seeded for a user's code, and put back after it."""

from __future__ import annotations

import random
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import torch

from trainables.random_streams import derive_seed


def seed_generators(seed: int, *parts: str | int) -> None:
    """Seed the generators of torch (all devices), numpy and Python from a named stream."""
    derived = derive_seed(seed, *parts)
    torch.manual_seed(derived)
    np.random.seed(derived % 2**32)  # noqa: NPY002  a user's code may draw from numpy's global generator
    random.seed(derived)


@contextmanager
def generators_put_back() -> Generator[None]:
    """Put the state of every global generator back at the end."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def seeded_generators(seed: int, *parts: str | int) -> Generator[None]:
    """Seed every global generator from a named stream, and put their states back at the end."""
    with generators_put_back():
        seed_generators(seed, *parts)
        yield

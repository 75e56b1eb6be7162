"""What several files of tests share; a file may have a evaluator of its own."""

from collections.abc import Iterator

import pytest

from trainables.data import load
from trainables.metrics import Evaluator, Extractor, build_evaluator, load_extractor
from trainables.metrics.train_extractor import one_thread


@pytest.fixture(scope="module")
def on_one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return build_evaluator(load("digits"), seed=0)._replace(n_samples=360)


@pytest.fixture(scope="module")
def extractor(evaluator: Evaluator) -> Extractor:
    return load_extractor(evaluator, "cpu")

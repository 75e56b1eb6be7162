"""What several files of tests share; a file may have a judge of its own."""

from collections.abc import Iterator

import pytest

from trainables.data import load
from trainables.metrics import Extractor, Judge, build_judge, load_extractor
from trainables.metrics.train_extractor import one_thread


@pytest.fixture(scope="module")
def on_one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def judge() -> Judge:
    return build_judge(load("digits"), seed=0)._replace(n_samples=360)


@pytest.fixture(scope="module")
def extractor(judge: Judge) -> Extractor:
    return load_extractor(judge, "cpu")

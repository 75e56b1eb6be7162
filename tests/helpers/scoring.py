"""Scores of samples that come from no model."""

from collections.abc import Iterator

from torch import Tensor

from trainables.metrics import EvalInputs, Evaluator, Extractor, extract_features, measure
from trainables.metrics.types import Value


def score(evaluator: Evaluator, extractor: Extractor, images: Iterator[Tensor]) -> dict[str, Value]:
    """Return every metric that samples alone suffice for."""
    return measure(EvalInputs(evaluator, *extract_features(evaluator, extractor, images), extractor=extractor))

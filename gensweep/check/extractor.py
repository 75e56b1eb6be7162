"""Whether the extractor of the data set sees blur, noise and missing images: an objective may rest on it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gensweep.check.line import Line, warning
from gensweep.units import format_duration
from trainables.metrics import build_evaluator, rests_on_extractor

if TYPE_CHECKING:
    from trainables.data import Dataset


def check_extractor(objectives: Iterable[tuple[str, str]], data: "Dataset") -> list[Line]:
    """Return a line for everything that the extractor cannot tell apart, if an objective rests on it.

    If it does not exist yet, return what its training will cost: a check is not the place for that.
    """
    from trainables.metrics.calibration import calibrated
    from trainables.metrics.evaluator_setup import existing_extractor, training_task
    from trainables.metrics.train_extractor import estimate_seconds

    resting = [key for key, _ in objectives if rests_on_extractor(key)]
    if not resting:
        return []
    if existing_extractor(data) is None:
        seconds = estimate_seconds(*training_task(data))
        text = f"the first run on {data.name} trains an extractor for its metrics, about {format_duration(seconds)}"
        return [Line(" ", text)]
    spots = calibrated(build_evaluator(data, seed=0), data)
    return [
        warning(f"the extractor cannot tell {spot}: do not select by {' or '.join(resting)} here") for spot in spots
    ]

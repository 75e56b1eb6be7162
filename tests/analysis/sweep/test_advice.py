"""What the report says about how far a result can be trusted."""

from pathlib import Path

from analysis.read import results
from analysis.sweep import advice
from search_spaces.param import Param


def test_advice__batch_size_searched_by_passes(made: Path) -> None:
    sweep = results.load(made)
    assert not any("steps_per_epoch" in point.text for point in advice.list_advice(sweep, None))
    space = {**sweep.space, "steps_per_epoch": Param("fixed", value=0)}
    passes = sweep._replace(manifest=sweep.manifest._replace(space=space))
    texts = [point.text for point in advice.list_advice(passes, None)]
    assert sum("--set steps_per_epoch=9 gives all trials equal updates." in text for text in texts) == 1

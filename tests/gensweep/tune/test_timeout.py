"""A trial that takes too long is ended."""

from pathlib import Path

import pytest

from analysis.read import results
from gensweep import Sweep


@pytest.mark.slow
@pytest.mark.parametrize("retries", [0, 1])
def test_a_trial_that_does_not_end_is_ended(tmp_path: Path, retries: int) -> None:
    pins = {"epochs": "100000", "width": "16", "likelihood": "bernoulli"}
    space = Sweep(
        "vae", results=str(tmp_path), trials=1, set=pins, trial_timeout="3s", max_failures=retries, quiet=True
    )
    found = space.run()
    assert (found.cause, found.failed) == ("done", 1)
    (told,) = results.load(found.directory).trials.to_dict("records")
    assert (told["state"], told["reason"]) == ("failed", "timeout")
    stack = (found.directory / "trials" / "0000" / "timeout.txt").read_text()
    assert "most recent call first" in stack

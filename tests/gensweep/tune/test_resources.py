"""How many trials run at once, and what each gets."""

from pathlib import Path
from typing import Any

import pytest

from gensweep.config.options import Options
from gensweep.errors import UserError
from gensweep.tune.resources import Share, emulates_bf16, share


@pytest.mark.parametrize(
    ("asked", "cluster", "expected"),
    [
        ({}, {"CPU": 2}, Share(1, 0, 2)),
        ({"trials": 3}, {"CPU": 16}, Share(1, 0, 3)),
        ({"cpus_per_trial": 2}, {"CPU": 5}, Share(2, 0, 2)),
        ({"concurrent": 8}, {"CPU": 2}, Share(1, 0, 2)),
        ({}, {"CPU": 16, "GPU": 1}, Share(1, 0.25, 4)),
        ({}, {"CPU": 4, "GPU": 2}, Share(1, 0.5, 4)),
        ({}, {"CPU": 2, "GPU": 4}, Share(1, 1, 2)),
        ({"gpus_per_trial": 0}, {"CPU": 8, "GPU": 1}, Share(1, 0, 8)),
        ({"gpus_per_trial": 0.4}, {"CPU": 8, "GPU": 2}, Share(1, 0.4, 4)),
        ({"gpus_per_trial": 2}, {"CPU": 8, "GPU": 4}, Share(1, 2, 2)),
    ],
)
def test_shares(asked: dict[str, Any], cluster: dict[str, float], expected: Share) -> None:
    assert share(Options("vae", **asked), [cluster]) == expected


RACK = [{"CPU": 0}, {"CPU": 4, "GPU": 1}, {"CPU": 4, "GPU": 1}, {"CPU": 4, "GPU": 1}]  # a head that takes no trials


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, Share(1, 0.25, 12)),
        ({"gpus_per_trial": 0}, Share(1, 0, 12)),
        ({"cpus_per_trial": 3, "gpus_per_trial": 0}, Share(3, 0, 3)),  # 12 // 3 would be 4, which do not fit
        ({"gpus_per_trial": 0.4}, Share(1, 0.4, 6)),
        ({"concurrent": 5}, Share(1, 0.25, 5)),
    ],
)
def test_trials_are_counted_node_by_node(asked: dict[str, Any], expected: Share) -> None:
    assert share(Options("vae", trials=50, **asked), RACK) == expected


def test_the_line_says_how_many_nodes() -> None:
    line = "4 nodes with 12 cores, 3 GPUs: 12 trials at once, 1 core and 0.25 of a GPU each"
    assert share(Options("vae", trials=50), RACK).line(RACK) == line


def test_no_trial_runs_on_two_nodes() -> None:
    with pytest.raises(UserError, match="gpus-per-trial 2: only 1 GPUs are available on one node"):
        share(Options("vae", gpus_per_trial=2), RACK)


@pytest.mark.parametrize("asked", [{"gpus_per_trial": 1}, {"gpus_per_trial": 0.1}, {"cpus_per_trial": 3}])
def test_more_than_there_is(asked: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="are available"):
        share(Options("vae", **asked), [{"CPU": 2}])


def test_bf16_is_emulated_where_the_cpu_has_none() -> None:
    assert emulates_bf16() != ("bf16" in Path("/proc/cpuinfo").read_text())

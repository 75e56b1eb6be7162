"""How many trials run at once, and what each gets."""

from pathlib import Path
from typing import Any

import pytest

from gensweep.options import BadUsage, Options
from gensweep.resources import Share, emulates_bf16, share


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
    assert share(Options("vae", **asked), cluster) == expected


@pytest.mark.parametrize("asked", [{"gpus_per_trial": 1}, {"gpus_per_trial": 0.1}, {"cpus_per_trial": 3}])
def test_more_than_there_is(asked: dict[str, Any]) -> None:
    with pytest.raises(BadUsage, match="are there"):
        share(Options("vae", **asked), {"CPU": 2})


def test_bf16_is_emulated_where_the_cpu_has_none() -> None:
    assert emulates_bf16() != ("bf16" in Path("/proc/cpuinfo").read_text())

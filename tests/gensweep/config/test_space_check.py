"""A space that leaves nothing to search, and an objective whose meaning changes with a searched key."""

import pytest

from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.errors import UserError

FIXED = {
    "likelihood": "bernoulli",
    "beta": "1",
    "latent_dim": "8",
    "lr": "1e-3",
    "batch_size": "64",
    "width": "128",
    "epochs": "4",
}


def test_space_check__one_point() -> None:
    with pytest.raises(UserError, match="nothing is left to search"):
        make_manifest(Options("vae", trials=4, set=FIXED), ["gensweep"])
    for asked in (Options("vae", trials=1, set=FIXED), Options("vae", set=FIXED, sampler="random", scheduler="none")):
        assert make_manifest(asked, ["gensweep"]).space["lr"].kind == "fixed"


@pytest.mark.parametrize(("pins", "left"), [({}, "likelihood, beta"), ({"likelihood": "bernoulli"}, "beta")])
def test_space_check__objective_depends_on_searched_key(pins: dict[str, str], left: str) -> None:
    with pytest.raises(UserError, match=f"^nats of trials that differ in {left} do not compare: fix it, as by --set"):
        make_manifest(Options("vae", objective=("nats", "min"), set=pins), ["gensweep"])


def test_space_check__objective_fixed() -> None:
    pins = {"likelihood": "bernoulli", "beta": "1"}
    assert (
        make_manifest(Options("vae", objective=("nats", "min"), set=pins), ["gensweep"]).goal.primary.metric == "nats"
    )

"""A walk enters every branch of a space, with few runs of it."""

import pytest

from search_spaces import SPACES
from search_spaces.override import apply
from search_spaces.param import Param
from search_spaces.space import Config, Space, Trial
from search_spaces.walk import describe, walk
from trainables.errors import UserError

LETTERS = tuple("abcdefghij")


def space_of(function: object) -> Space:
    return SPACES["vae"]._replace(space=function)  # type: ignore[arg-type]


def rare(trial: Trial) -> Config:
    """One configuration in a million reads `deep`."""
    config: Config = {f"x{i}": trial.suggest_categorical(f"x{i}", LETTERS) for i in range(6)}
    if all(config[f"x{i}"] == "j" for i in range(6)):
        config["deep"] = trial.suggest_float("deep", 0.0, 1.0)
    return config


def test_a_branch_of_one_in_a_million_is_described() -> None:
    assert "deep" in describe(space_of(rare))
    assert len(list(walk(rare))) < 100


def thin(trial: Trial) -> Config:
    """A millionth of the range of lr, and one of a million whole numbers, lead into a branch of their own."""
    config: Config = {"lr": trial.suggest_float("lr", 0.0, 1.0), "n": trial.suggest_int("n", 0, 10**6)}
    if 0.3 < config["lr"] < 0.3 + 1e-6:
        config["inside"] = trial.suggest_float("inside", 0.0, 1.0)
    if config["n"] == 123_456:
        config["exact"] = trial.suggest_float("exact", 0.0, 1.0)
    return config


def test_a_branch_on_a_number_is_entered_at_what_it_is_compared_with() -> None:
    assert set(describe(space_of(thin))) == {"lr", "n", "inside", "exact"}


def layered(trial: Trial) -> Config:
    config: Config = {"depth": trial.suggest_int("depth", 1, 3)}
    return config | {f"width{i}": trial.suggest_int(f"width{i}", 8, 64) for i in range(config["depth"])}


def by_length(trial: Trial) -> Config:
    """`str.join` takes no watched value, so that this space can only be run with plain ones."""
    config: Config = {"net": trial.suggest_categorical("net", ("mlp", "conv")), "z": trial.suggest_int("z", 2, 9)}
    return config | ({"kernel": trial.suggest_int("kernel", 3, 5)} if len("".join([config["net"]])) == 4 else {})


@pytest.mark.parametrize(
    ("space", "keys"),
    [
        (layered, {"depth", "width0", "width1", "width2"}),
        (by_length, {"net", "z", "kernel"}),
    ],
)
def test_a_branch_by_conversion_is_entered(space: object, keys: set[str]) -> None:
    assert set(describe(space_of(space))) == keys


def test_a_space_is_run_as_often_as_it_has_branches() -> None:
    runs = {model: len(list(walk(space.space))) for model, space in SPACES.items()}
    assert runs.items() >= {"ae": 1, "dae": 1, "vae": 2, "cvae": 2, "gan": 2, "cgan": 2}.items()
    penalties = apply(SPACES["gan"], {"penalty": "none,gp,clip", "scheme": "hinge,minimax"})
    assert len(list(walk(penalties.space))) == 6


def test_a_multiple_on_a_logarithmic_scale_leads_into_no_branch() -> None:
    space = apply(SPACES["vae"], {"batch_size": "8:512:log:8", "width": "8:512:log:8"})
    assert len(list(walk(space.space))) == 2
    assert describe(space)["batch_size"] == Param("int", 8, 512, True, 8)


def test_ranges_of_two_branches_are_united() -> None:
    assert describe(apply(SPACES["vae"], {"net": "mlp,conv"}))["width"] == Param("int", 8, 512, True)


def test_a_space_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search_spaces.walk.MOST", 100)

    def endless(trial: Trial) -> Config:
        return {f"x{i}": trial.suggest_categorical(f"x{i}", LETTERS) for i in range(6)}

    def read_all(trial: Trial) -> int:
        return sum(len(value) for value in endless(trial).values())

    with pytest.raises(UserError, match="more than 100 branches: fix some keys"):
        for _ in walk(read_all):
            pass

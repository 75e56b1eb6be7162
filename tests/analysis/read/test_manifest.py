"""What a manifest says of its trials."""

from helpers.manifests import SMALL, small_manifest

from search_spaces.param import Param

PASSES = {"batch_size": Param("categorical", choices=(256, 64)), "steps_per_epoch": Param("fixed", value=0)}


def test_manifest__initial_trials() -> None:
    assert SMALL.n_initial == 1
    assert small_manifest(points=[{"lr": 1e-3}, {"lr": 1e-2}]).n_initial == 3


def test_manifest__batch_size_searched_by_passes() -> None:
    data = SMALL.data._replace(n_train=54_000)
    manifest = small_manifest(space=PASSES, data=data, defaults={"batch_size": 128})
    assert manifest.describe_unequal_updates() == (
        "batch_size is searched and an epoch is one pass over 54,000 images: 843 updates with batch_size=64, 210 with "
        "batch_size=256. So the search also chooses how long a trial trains. --set steps_per_epoch=421 gives all "
        "trials equal updates."
    )


def test_manifest__equal_updates() -> None:
    fixed = {"steps_per_epoch": Param("fixed", value=421)}, {"batch_size": Param("fixed", value=64)}
    assert [small_manifest(space={**PASSES, **change}).describe_unequal_updates() for change in fixed] == ["", ""]
    assert small_manifest(space={}).describe_unequal_updates() == ""  # a model of the user's own

"""A contract over every study file."""

import pytest
from helpers import ROOT

from analysis.base.paired_tests import ALPHA
from analysis.study import trial_statistics
from analysis.study.figures.registry import ARM_FIGURES
from gensweep.config.resolve import make_manifest
from gensweep.sweep.study_arms import StudyOptions, resolve_arm, search_options, training_options
from search_spaces.studies import STUDIES
from trainables.metrics import keys

ROW_KEYS = {"recon_mse", "nats", *keys()}


@pytest.mark.parametrize("name", STUDIES)
def test_study_files__all_parts_present(name: str) -> None:
    one = STUDIES[name]
    assert one.title
    assert one.question.endswith("?")
    assert one.scope
    assert one.seeds >= 8 or not one.claims
    assert one.pictures
    for claim in one.claims:
        assert claim.arm in one.arms
        rivals = claim.against if isinstance(claim.against, tuple) else (claim.against,)
        assert all(rival in one.arms if isinstance(rival, str) else isinstance(rival, float) for rival in rivals)
        assert (claim.way == "equal") <= (claim.margin > 0)
    for statistic in [*one.table, *(claim.statistic for claim in one.claims)]:
        assert statistic in ROW_KEYS or statistic.partition(":")[0] in trial_statistics.LABELS
    for picture, shown in one.pictures.items():
        assert picture.partition(":")[0] in ARM_FIGURES
        assert set(shown) <= set(one.arms)


@pytest.mark.parametrize("name", STUDIES)
def test_study_files__page_has_the_words(name: str) -> None:
    one, path = STUDIES[name], ROOT / "docs" / "studies" / f"{name}.md"
    if not path.exists():
        pytest.skip("the study has no page yet")
    page = path.read_text(encoding="utf-8")
    words = [f"# {one.title}", one.question, one.scope]
    words += [f"| {claim.says} |" for claim in one.claims] + [arm.note for arm in one.arms.values()]
    assert [text for text in words if text not in page] == []


@pytest.mark.parametrize("name", STUDIES)
def test_study_files__every_claim_is_decidable(name: str) -> None:
    """The smallest p of the sign-flip test, times the claims on a statistic, is at most .05."""
    one = STUDIES[name]
    statistics = [claim.statistic for claim in one.claims if claim.way != "equal"]
    assert max(map(statistics.count, statistics), default=0) * 2 / 2**one.seeds <= ALPHA


@pytest.mark.parametrize("name", STUDIES)
def test_study_files__arms_resolve(name: str) -> None:
    """Every key of every arm is one that its model reads, every view is of an evaluated epoch, names do not collide."""
    owned = {arm: resolve_arm(StudyOptions(name), arm) for arm in STUDIES[name].arms}
    for arm, own in owned.items():
        manifest = make_manifest(training_options(own), [])
        assert manifest.searched == []
        assert manifest.trials >= 8 or not STUDIES[name].claims
        if own.spec.trials:
            assert make_manifest(search_options(own), []).searched
        at, every = STUDIES[name].arms[arm].at_epoch, own.options.study.every
        assert at in (0, 1) or at % every == 0
        assert at <= manifest.epochs
    homes = {own.directory for own in owned.values()}
    assert len({home.name for home in homes}) == len(homes)

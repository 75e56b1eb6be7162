"""The report of a sweep: what the page says, and what it must not do."""

import re
from pathlib import Path

import pytest
from helpers import sweeps

from analysis.figures import sample_grids
from analysis.read import results
from analysis.report import sweep_page
from trainables.errors import UserError

pytestmark = pytest.mark.long


def bare(html: str) -> str:
    """The text of a page."""
    return " ".join(re.sub(r"<[^>]*>", "", html).split())


def test_sweep_page__content(made: Path) -> None:
    page = Path(sweep_page.write([made]))
    html = page.read_text(encoding="utf-8")
    assert page == made / "report" / "index.html"
    assert page.stat().st_size < 5e6
    assert not re.search(r"https?://|<script|<link|@import|url\(", html)
    assert set(re.findall(r'src="([^:"]*):', html)) == {"data"}
    assert "--trials 1 --seed 0 --name tiny-trial-1 --set epochs=5 --set lr=0.003 --set batch_size=64" in bare(html)
    assert "nan: loss is nan at epoch 3" in html
    assert {path.name for path in page.parent.glob("*.png")} >= {"winner.png", "grid.png", "curves.png", "classes.png"}
    assert (
        bare(html).index("the luckiest is shown")
        < bare(html).index("gensweep finalize")
        < bare(html).index("The winner")
    )
    assert html.index("The winner: trial 1") < html.index("Side by side") < html.index("Why it won")


def test_sweep_page__escapes_html(made: Path, tmp_path: Path) -> None:
    own = sweeps.make(tmp_path / "own", command=["gensweep", "<script>alert(1)</script>"])
    assert "<script" not in Path(sweep_page.write([own])).read_text(encoding="utf-8")


def test_sweep_page__several_sweeps(made: Path, tmp_path: Path) -> None:
    other = sweeps.make(tmp_path / "other", stamp={"extractor": "another"})
    assert sweep_page.comparison_context([results.load(made), results.load(made)])["alike"]
    html = Path(sweep_page.write([made, other], tmp_path / "both")).read_text(encoding="utf-8")
    assert "compare scores only within a sweep" in html
    assert (tmp_path / "both" / "other_grid.png").exists()


def test_sweep_page__failed_sweep_writes_nothing(made: Path, tmp_path: Path) -> None:
    bad = sweeps.make(tmp_path / "bad", [sweeps.TRIALS[3]])
    with pytest.raises(UserError, match=r"all 1 trials .* failed \(1 nan\)"):
        sweep_page.write([made, bad], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("interface", "start"), [("train", "seed"), ("model", "noise vector")])
def test_sweep_page__what_a_column_has_in_common(made: Path, interface: str, start: str) -> None:
    sweep = results.load(made)
    assert sample_grids.column_start(sweep) == "noise vector"
    user_model = {"path": "my.py", "sha256": "0", "bytes": [0, 0], "facts": {"interface": interface}}
    users = sweep._replace(manifest=sweep.manifest._replace(user_model=user_model, model="my"))
    assert sample_grids.column_start(users) == start

"""The report in a browser: it complains of nothing, asks no other machine, and fits a telephone."""

from pathlib import Path

import pytest
from helpers import sweeps
from helpers.browser import CHROMIUM, browse, overflow

from analysis.report import sweep_page


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_sweep_page__in_a_browser(tmp_path: Path) -> None:
    page = Path(sweep_page.write([sweeps.make(tmp_path / "s")]))
    for width in (1280, 500):
        seen = browse(page.as_uri(), tmp_path / "page.png", width)
        assert "12.5" in seen.text
        assert seen.console == []
        assert seen.strangers == []
    assert overflow(page, tmp_path, 390) <= 0
    wide = tmp_path / "wide.html"
    wide.write_text(page.read_text().replace("<main", '<div style="width: 700px">x</div><main', 1))
    assert overflow(wide, tmp_path, 390) > 300

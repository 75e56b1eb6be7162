"""The generated parts of docs/, and the site as a whole."""

import pkgutil
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from analysis.sweep.diagnoses import DIAGNOSES
from search_spaces.studies import STUDIES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
MODULE = runpy.run_path(str(ROOT / "scripts" / "generate_docs.py"))


@pytest.mark.parametrize("page", sorted({name for name, _ in MODULE["PARTS"].values()}))
def test_generated_page_is_up_to_date(page: str) -> None:
    path = ROOT / "docs" / page
    assert MODULE["pages"]()[path] == path.read_text(encoding="utf-8"), "run `make format`"


def test_generate_docs__missing_mark() -> None:
    with pytest.raises(SystemExit, match="the marks of 'keys' are missing"):
        MODULE["renewed"]("# Page without marks\n", "keys", iter([]))


def test_every_command_and_option_is_listed() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "gensweep", "run", "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    options = set(re.findall(r"--[a-z][a-z-]+", done.stdout)) - {"--help"}
    assert options
    assert [option for option in options if f"`{option}" not in page] == []


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"[\w/.-]+\.md", text.partition("nav:\n")[2]))
    assert {path.relative_to(ROOT / "docs").as_posix() for path in PAGES} == listed


def test_names_of_the_api_page_exist() -> None:
    text = (ROOT / "docs" / "python-api.md").read_text(encoding="utf-8")
    names = re.findall(r"^::: (\S+)$", text, re.MULTILINE)
    assert names
    assert [name for name in names if pkgutil.resolve_name(name) is None] == []


def test_site_loads_nothing_from_elsewhere() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert config["theme"]["font"] is False
    assert config["strict"] is True


def test_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("http")]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_readme_is_short() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 130
    assert len(text.split()) <= 900


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.html")]
    assert len(pages) > 20
    loaded = {
        address
        for page in pages
        for address in re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"?([^\" >]+)", page)
    }
    assert [address for address in loaded if address.startswith(("http", "//"))] == []


def test_study_pages_have_the_words_of_their_template() -> None:
    """A study takes minutes to hours, so its page is not written anew when the template changes its words."""
    template = (ROOT / "analysis" / "templates" / "study.md").read_text(encoding="utf-8")
    fixed = [part for part in template.split("\n\n") if "{" not in part]
    assert len(fixed) > 0
    pages = (ROOT / "docs" / "studies" / f"{name}.md" for name, study in STUDIES.items() if study.claims)
    for path in filter(Path.exists, pages):
        page = path.read_text(encoding="utf-8")
        assert [part for part in fixed if part not in page] == [], path.name


def test_every_finding_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "diagnoses.md").read_text(encoding="utf-8")
    assert [about.title for about in DIAGNOSES.values() if f"| {about.title} |" not in page] == []

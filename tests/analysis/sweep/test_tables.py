"""Tables for a paper: every number in the CSV, what leads in bold, and LaTeX that LaTeX would take."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from helpers import sweeps
from helpers.finalists import NOISE, proven, told

from analysis.read import results
from analysis.sweep import tables
from gensweep.cli.main import main


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> results.Sweep:
    return results.load(sweeps.make(tmp_path_factory.mktemp("made") / "s"))


@pytest.fixture
def finalized(tmp_path: Path) -> results.Sweep:
    lead: list[float | None] = [14 + e for e in NOISE]
    same: list[float | None] = [14.05 - e for e in NOISE]
    defaults: list[float | None] = [20 + e + 0.01 * k for k, e in enumerate(NOISE)]
    return proven(tmp_path / "p", told(1, 12.5, lead), told(2, 20.0, same), told(0, 20.0, defaults))


def records(sweep: results.Sweep) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tables.write(sweep, None, "csv"))))


def test_tables__search(searched: results.Sweep) -> None:
    first, second, third = records(searched)
    assert (first["trial"], first["fid"], first["lr"], first["batch_size"]) == ("1", "12.5", "0.003", "64")
    assert (second["trial"], third["trial"]) == ("0", "2")
    text = tables.write(searched, 2, "markdown")
    assert text.splitlines()[0] == "| trial | FID | epoch | lr | batch_size | likelihood |"
    assert text.splitlines()[2] == "| **1** | **12.5** | 4 | 0.003 | 64 | bernoulli |"
    assert "the best 2 of 4 trials" in text
    assert "the best of many are optimistic" in text
    assert "extractor digits-abc" in text


@pytest.mark.long
def test_tables__finalized(finalized: results.Sweep) -> None:
    pick, tied, defaults = records(finalized)
    assert [one["trial"] for one in (pick, tied, defaults)] == ["1", "2", "0"]
    assert float(pick["test_mean"]) == pytest.approx(14)
    assert float(pick["test_low"]) < 14 < float(pick["test_high"])
    assert float(defaults["behind_pick"]) == pytest.approx(6.035)
    assert float(defaults["p_holm"]) == 4 / 256
    assert (pick["tied"], tied["tied"], defaults["tied"]) == ("True", "True", "False")
    assert (pick["seeds"], pick["search"], defaults["defaults"]) == ("8", "12.5", "True")
    lines = tables.write(finalized, None, "markdown").splitlines()
    assert lines[2].startswith("| **1** | **14 [")
    assert lines[3].startswith("| **2** | **14.05 [")
    assert re.match(r"\| 0 \(defaults\) \| 20.04 \[.*\] \| \+6.04 \| 0.016 \| 0.001 \|", lines[4])
    assert "mean over 8 fresh seeds" in lines[-1]


@pytest.mark.long
def test_tables__latex(finalized: results.Sweep, searched: results.Sweep) -> None:
    for sweep in (finalized, searched):
        text = tables.write(sweep, None, "latex")
        assert text.count(r"\begin{") == text.count(r"\end{") == 2
        assert text.count("{") == text.count("}")
        assert not re.search(r"(?<!\\)[_%](?! needs)", text)
        rows = [line for line in text.splitlines() if line.endswith(r" \\")]
        columns = re.search(r"tabular}\{(l[r]+)\}", text)
        assert columns
        assert {row.count(" & ") + 1 for row in rows} == {len(columns[1])}
    assert r"batch\_size" in text
    assert r"\textbf{1} & \textbf{12.5} & 4 & 0.003" in text
    assert r"$1 \times 10^{-4}$" not in text  # short() writes 0.0001
    assert tables._tex("5e-05 & -3 % [-0.2, +0.4] a-3 log_x") == (
        r"$5 \times 10^{-5}$ \& $-3$ \% [$-0.2$, $+0.4$] a-3 log\_x"
    )


def test_tables__command_line(searched: results.Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    directory = searched.place.name
    assert main(["best", directory, "--format", "latex", "--top", "1"]) == 0
    assert capsys.readouterr().out == tables.write(searched, 1, "latex") + "\n"
    assert main(["best", directory, "--format", "json"]) == 0
    as_format = capsys.readouterr().out
    assert main(["best", directory, "--json"]) == 0
    assert capsys.readouterr().out == as_format
    assert json.loads(as_format)[0]["number"] == 1
    assert main(["best", directory, "--format", "word"]) == 2
    assert "invalid choice" in capsys.readouterr().err

"""Contracts over METRICS: every entry on every kind of data, and what adding one touches: a file and a line."""

from __future__ import annotations

import json
import math
import runpy
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from helpers import sweeps
from helpers.datafiles import paint
from helpers.trials import small

from analysis.base.formatting import format_value
from analysis.read import results
from analysis.report import sweep_page
from analysis.sweep import ranking
from trainables import MODELS, TRAINABLES, Data
from trainables.data import Dataset, load
from trainables.engine.evaluate import collect_inputs
from trainables.engine.state import sampling_nets, start
from trainables.metrics import (
    METRICS,
    EvalInputs,
    Metric,
    MetricKey,
    build_evaluator,
    classification_accuracy,
    keys,
    load_extractor,
    measure,
)
from trainables.metrics.train_extractor import one_thread


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Data]:
    """The embedded digits, and folders of flat pictures; each with its evaluator, made once."""

    @cache
    def make(kind: str) -> Data:
        folder = tmp_path_factory.mktemp(kind)
        images: Dataset = load("digits")
        if kind != "digits":
            mode, size = ("L", 12) if kind == "grey" else ("RGB", 32)
            images = load(f"folder:{paint(folder / 'images', {'a': 40, 'b': 30, 'c': 20}, mode)}?size={size}")
        evaluator = build_evaluator(images, seed=0, cache_dir=folder)._replace(n_samples=300)
        return Data(images.to("cpu"), evaluator, load_extractor(evaluator, "cpu"))

    return make


CASES = [*((name, "digits") for name in MODELS), ("cgan", "grey"), ("vae", "colour"), ("cgan", "colour")]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def inputs(request: pytest.FixtureRequest, judged: Callable[[str], Data]) -> EvalInputs:
    """An untrained trial of each model, as its evaluator sees it."""
    name, data = request.param[0], judged(request.param[1])
    net = "conv" if data.images.shape[1] % 4 == 0 else "mlp"
    run = start(MODELS[name], small(name, batch_size=16, net=net), data, 0)
    assert data.evaluator is not None
    with torch.no_grad():
        return collect_inputs(run, sampling_nets(run), data.evaluator)


@pytest.mark.long
def test_metrics__declared_keys(inputs: EvalInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classification_accuracy, "N_CAS", 300)
    found = measure(inputs, also=tuple(METRICS))
    assert {key.removesuffix("_se") for key in found} <= set(keys())
    assert json.loads(json.dumps(found)) == found  # plain, and finite
    assert all(isinstance(value, list) == keys()[key].many for key, value in found.items() if not key.endswith("_se"))
    assert ("fid" in found) == (len(inputs.features) > 0)
    assert ("recon_mse" in found) == inputs.has("measured")
    assert ("cas" in found) == (inputs.labels is not None)


def test_metrics__keys_state_dependencies(judged: Callable[[str], Data]) -> None:
    evaluator = judged("digits").evaluator
    assert evaluator is not None
    for key in keys().values():
        assert set(key.stamp) <= set(evaluator.stamp)
        assert key.name
        assert not key.doc.endswith(".")
    assert len(keys()) == sum(len(metric.keys) for metric in METRICS.values())  # no key has two owners


@pytest.mark.long
def test_metrics__broken_samples(inputs: EvalInputs) -> None:
    broken = replace(inputs, features=inputs.features * torch.nan)
    found = measure(broken)
    assert ("fid" in found) == ("modes" in found) == (len(inputs.features) > 0)
    assert all(found[key] != found[key] for key in ("fid", "modes", "recall", "memorised") if key in found)
    assert math.isfinite(found["recon_mse"] if inputs.has("measured") else 0)  # type: ignore[arg-type]


# What adding one touches


def brightness(inputs: EvalInputs) -> dict[str, float]:
    """What a contributor would put into a file."""
    return {"brightness": float(inputs.images.mean())}


NEW = Metric(
    brightness, {"brightness": MetricKey("mean brightness", "max", "mean of all pixels", "0..1", ("n_samples",))}
)


@pytest.mark.long
def test_metrics__new_metric_is_one_line(
    judged: Callable[[str], Data], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = judged("digits")
    monkeypatch.setitem(METRICS, "brightness", NEW)
    row = [epoch.row for epoch in TRAINABLES["vae"](small("vae", batch_size=16, net="mlp", epochs=1), data, 0)][-1]
    assert 0 < row["brightness"] < 1
    generate_docs = runpy.run_path(str(Path(__file__).parents[3] / "scripts" / "generate_docs.py"))
    lines = list(generate_docs["metrics"]())
    assert "| `brightness` | mean brightness (0..1) | higher | mean of all pixels | each evaluation |" in lines

    sweep = results.load(sweeps.make(tmp_path / "sweep"))
    rows = tmp_path / "sweep" / "trials" / "0001" / "rows.jsonl"
    written = [json.loads(line) for line in rows.read_text().splitlines()]
    rows.write_text("".join(json.dumps(row | old) + "\n" for old in written))
    assert ranking.top_entries(sweep, 1)[0]["metrics"]["brightness"] == row["brightness"]
    assert f"mean brightness               {format_value(row['brightness'])} 0..1" in ranking.format_table(sweep, 1)
    files: dict[str, bytes] = {}
    page = sweep_page.section_context(results.read_rows(sweep), files, "")
    assert {"name": "mean brightness", "doc": "mean of all pixels"}.items() <= page["measured"][-1].items()

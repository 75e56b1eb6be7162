"""METRICS of a user's file: what they get, when they run, what an error costs, and the hash of their code."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from helpers import engine_files
from helpers.trials import digits
from torch import Tensor

from trainables.engine.loop import Epoch, train
from trainables.errors import UserError
from trainables.objective import Goal, Objective
from trainables.ray_trainable import TrialWriter
from trainables.trial_files import TrialFiles
from trainables.user_model.engine_model import build_model
from trainables.user_model.engine_probe import probe_engine_model
from trainables.user_model.metric_source import metric_sources
from trainables.user_model.metrics import UserMetric, compute, metrics_of
from trainables.user_model.model import Facts, MetricFacts
from trainables.user_model.model_file import ModelFile

CONFIG: dict[str, Any] = {"lr": 1e-2, "batch_size": 32, "epochs": 3, "steps_per_epoch": 0, "lr_decay": 0.0, "ema": 0.0}
CONFIG |= {"precision": "fp32", "beta1": 0.9, "beta2": 0.999, "latent_dim": 4, "weight_decay": 0.0, "momentum": 0.0}
METRICS = """
def error(images, reconstructions):
    assert images.shape == reconstructions.shape and images.device.type == "cpu"
    return (images - reconstructions).square().mean()

def spread(codes, labels):
    assert labels.shape == codes.shape[:1] and labels.dtype == torch.int64
    return {"sd": codes.std(), "n": len(codes)}

METRICS = {
    "brightness": gs.Metric(lambda images, real: images.mean() - real.mean()),
    "error": gs.Metric(error, needs="reconstructions", better="min"),
    "codes": gs.Metric(spread, needs="codes", when="last"),
    "broken": gs.Metric(lambda images, real: 1 / (len(images) < 9)),
    "infinite": gs.Metric(lambda images, real: {"a": 1.0, "b": float("inf") if len(images) > 9 else 0.0}),
}
"""


def coder_file(metrics: str = METRICS) -> ModelFile:
    return ModelFile("my_coder.py", engine_files.CODER + metrics)


@pytest.mark.long
def test_metrics__of_an_engine_model() -> None:
    """Each gets what it needs; one that fails costs itself alone, and so does a number that is not finite."""
    rows = [epoch.row for epoch in train(build_model(coder_file()), CONFIG, digits(), 0)]
    assert [row["status"] for row in rows] == ["ok"] * 3
    for row in rows:
        assert -1 < row["brightness"] < 1
        assert 0 < row["error"] < 0.3
        assert row["error_broken"] == "ZeroDivisionError: division by zero"
        assert row["infinite_a"] == 1.0
        assert row["error_infinite"] == "infinite_b is inf"
        assert not {"broken", "infinite_b"} & row.keys()
    assert rows[2]["error"] < rows[0]["error"]
    assert ["codes_sd" in row for row in rows] == [False, False, True]
    assert rows[2]["codes_n"] == len(digits().images.val)


@pytest.mark.long
def test_metrics__facts() -> None:
    facts = probe_engine_model(build_model(coder_file()), CONFIG, digits().images).facts
    assert facts.measured == ("brightness", "error", "codes_sd", "codes_n", "broken", "infinite_a", "infinite_b")
    assert facts.metrics["error"] == MetricFacts("error", "due", "min")
    assert facts.late == {"codes_sd", "codes_n"}
    assert Facts.from_json(facts.to_json()) == facts
    assert Facts.from_json({key: value for key, value in facts.to_json().items() if key != "metrics"}).late == set()


def module_with(metrics: Any) -> ModuleType:
    module = ModuleType("m")
    module.__file__ = "m.py"
    module.METRICS = metrics  # type: ignore[attr-defined]
    return module


def pair_fn(a: Tensor, b: Tensor) -> float:
    return 0.0


@pytest.mark.parametrize(
    ("metrics", "given", "says"),
    [
        ([], None, 'm.py: METRICS: write {"name": gs.Metric(fn)}'),
        ({"a": pair_fn}, None, "m.py: METRICS['a'] is a function: write gs.Metric(fn)"),
        ({"a b": UserMetric(pair_fn)}, None, "METRICS['a b']: name it as a variable of Python"),
        ({"fid": UserMetric(pair_fn)}, None, "METRICS['fid']: gensweep has a metric of this name"),
        ({"a": UserMetric(lambda x: 0)}, None, "METRICS['a']: fn(x) takes 1 argument: (images, real) are given"),
        ({"a": UserMetric(3)}, None, "METRICS['a']: fn is a int: a function (images, real) is needed"),  # type: ignore[arg-type]
        ({"a": UserMetric(pair_fn, needs="sample")}, None, "unknown needs 'sample': did you mean 'samples'?"),  # type: ignore[arg-type]
        ({"a": UserMetric(pair_fn, when="end")}, None, "METRICS['a']: unknown when 'end'"),  # type: ignore[arg-type]
        ({"a": UserMetric(pair_fn, better="low")}, None, "METRICS['a']: better='low': write 'min' or 'max'"),  # type: ignore[arg-type]
        ({"a": UserMetric(pair_fn, "codes")}, None, "needs codes, which train() cannot give: use trial.measure(), or"),
        ({"a": UserMetric(pair_fn, "codes")}, ["samples"], "METRICS['a'] needs codes: give gs.Model(encode=...)"),
        ({"a": UserMetric(pair_fn)}, [], "METRICS['a'] needs samples: give gs.Model(sample=...)"),
    ],
)
def test_metrics__refused(metrics: Any, given: list[str] | None, says: str) -> None:
    with pytest.raises(UserError) as raised:
        metrics_of(module_with(metrics), given)
    assert says in str(raised.value)


def test_metrics__arguments_are_made_once_and_only_if_needed() -> None:
    calls = []

    def pair(needs: str) -> tuple[Tensor, Tensor | None]:
        calls.append(needs)
        return torch.zeros(2, 1), None

    two = UserMetric(lambda codes, labels: labels is None, "codes")
    late = UserMetric(pair_fn, "reconstructions", "last")
    assert compute({"a": two, "b": two, "late": late}, pair, last=False) == {"a": 1.0, "b": 1.0}
    assert calls == ["codes"]
    assert compute({"a": two}, lambda needs: None, last=True) == {}


# An objective


def epoch_of(**row: Any) -> Epoch:
    whole = {"status": "ok", "epochs": 2, "eval_epoch": row["epoch"], **row}
    return Epoch(whole, None, lambda: {"epoch": row["epoch"]}, dict)


def writer_of(folder: Path, metric: str) -> TrialWriter:
    goal = Objective(metric, "min")
    facts = {"late": MetricFacts("late", "last", None), "due_a": MetricFacts("due", "due", None)}
    return TrialWriter(TrialFiles(str(folder), 0), {"model": "mine"}, Goal(goal, (goal,)), facts)


def test_objective__of_the_last_evaluation(tmp_path: Path) -> None:
    writer = writer_of(tmp_path, "late")
    bests = []
    for row in ({"epoch": 1}, {"epoch": 2, "late": 3.0}):
        writer.write(epoch_of(**row))
        bests.append(writer.best)
    assert bests == [None, {"late": 3.0}]
    with pytest.raises(UserError, match="late: in no row of the trial"):
        writer.write(epoch_of(epoch=2))


def test_objective__that_fails_ends_the_trial_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^due_a: ZeroDivisionError: division by zero$"):
        writer_of(tmp_path, "due_a").write(epoch_of(epoch=1, error_due="ZeroDivisionError: division by zero"))


# The hash of the code

TEXT = """
import torch
SCALE = 2.0
UNUSED = 1

def power(x):
    return SCALE * x

def a(images, real):
    return power(images)

def b(images, real):
    return 0.0

METRICS = {"a": Metric(a), "b": Metric(b), "c": Metric(lambda x, y: SCALE)}
"""


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("SCALE * x", "SCALE * x + 1", "a"),
        ("SCALE = 2.0", "SCALE = 3.0", "ac"),
        ("return 0.0", "return 1.0", "b"),
        ("Metric(b)", 'Metric(b, when="last")', "b"),
        ("UNUSED = 1", "UNUSED = 2\n# a comment", ""),
        ("import torch", "import torch.nn as torch", ""),
    ],
)
def test_metric_source__follows_what_a_metric_uses(old: str, new: str, changed: str) -> None:
    names = ["a", "b", "c"]
    before, after = metric_sources(TEXT, names), metric_sources(TEXT.replace(old, new), names)
    assert [name for name in names if before[name] != after[name]] == list(changed)
    assert len(set(before.values())) == 3


def test_metric_source__of_the_whole_file_if_it_is_built_otherwise() -> None:
    text = TEXT + "METRICS['d'] = Metric(b)\n"
    assert metric_sources(text, ["a"]) != metric_sources(text + "# more\n", ["a"])

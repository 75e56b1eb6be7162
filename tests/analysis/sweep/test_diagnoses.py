"""Findings: each diagnosis on rows just over and under its threshold, and advice that `--set` accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import sweeps

from analysis.figures import failures, style
from analysis.read import results
from analysis.report.findings import findings_context
from analysis.sweep import diagnoses, ranking
from analysis.sweep.diagnoses import DIAGNOSES, diagnose, samples
from analysis.sweep.diagnoses.evidence import Evidence
from gensweep.cli.main import main
from search_spaces import SPACES
from search_spaces.override import apply, default
from trainables import MODELS
from trainables.config_schema import check
from trainables.engine.collapse import MATURE_PATH

CLASSES = [str(digit) for digit in range(10)]
EVEN = [[0.1] * 10] * 10  # samples of each label read as each class equally often
SURE = [[float(i == j) for j in range(10)] for i in range(10)]
SOUND: dict[str, Any] = {
    "status": "ok", "fid": 10.0, "fid_raw": 10.0, "modes": 9.0, "duplicates": 0.01, "d_real": 0.6, "d_fake": 0.4,
    "grad_norm_g": 1.0, "pixel_scale": 1.0, "pixel_shift": 0.0, "out_of_range": 0.0,
}  # fmt: skip
LABELS: dict[str, Any] = {"accuracy": 0.95, "class_accuracy": [0.95] * 10, "confusion": SURE, "class_spread": 0.8}


def config(model: str, **sets: Any) -> dict[str, Any]:
    """The defaults of a model under some `--set`; 8 epochs."""
    texts = {key: str(value) for key, value in sets.items()}
    return dict(default(apply(SPACES[model], texts, 8))[0])


def evidence(model: str = "gan", sets: dict[str, Any] | None = None, n: int = 8, **lists: Any) -> Evidence:
    """A trial of n evaluated epochs with sound numbers; a list in `lists` replaces the last values of its key."""
    labels = LABELS if MODELS[model].conditional else {}
    rows: list[dict[str, Any]] = [
        {**SOUND, **labels, "epoch": e, "epochs": 8, "eval_epoch": e, "updates_g": 2000 * e, "loss_g": 1 + e / 100}
        for e in range(1, n + 1)
    ]
    for key, values in {"fid_raw": lists.get("fid", []), **lists}.items():
        for row, value in zip(rows[len(rows) - len(values) :], values, strict=True):
            row[key] = value
    best = min(rows, key=lambda row: row["fid"])
    return Evidence(model, config(model, **(sets or {})), rows, best, CLASSES)


def at_best(model: str = "cgan", sets: dict[str, Any] | None = None, **values: Any) -> Evidence:
    """A trial whose scored epoch has these values."""
    lists: dict[str, Any] = {key: [value] for key, value in values.items()}
    return evidence(model, sets, **lists, fid=[9.0])


def worst(accuracy: float) -> list[float]:
    return [*[0.95] * 9, accuracy]


def d_view(sets: dict[str, Any], real: float, fake: float) -> Evidence:
    """A trial whose D gives these outputs in its last three evaluations."""
    return evidence(sets=sets, d_real=[real] * 3, d_fake=[fake] * 3)


LOW, HIGH = 1 - samples.SCALE, samples.SHIFT
CASES: list[tuple[str, Evidence, Evidence]] = [  # key, just under the threshold, just over it
    ("d_won", evidence(d_real=[0.97] * 3, d_fake=[0.03] * 3), evidence(d_real=[0.98] * 3, d_fake=[0.02] * 3)),
    ("d_won", evidence(d_real=[0.98] * 2, d_fake=[0.02] * 2), evidence(d_real=[0.98] * 3, d_fake=[0.02] * 3)),
    (
        "d_won",  # the FID still falls
        evidence(d_real=[0.98] * 3, d_fake=[0.02] * 3, fid=[8.9]),
        evidence(d_real=[0.98] * 3, d_fake=[0.02] * 3, fid=[9.1]),
    ),
    ("d_won", d_view({"scheme": "hinge"}, 0.9, -0.9), d_view({"scheme": "hinge"}, 1.0, -1.0)),
    ("d_won", d_view({"label_smoothing": 0.1}, 0.87, 0.02), d_view({"label_smoothing": 0.1}, 0.89, 0.02)),
    ("late_collapse", evidence(fid=[19.9, 30.0], modes=[3.0, 3.0]), evidence(fid=[20.1, 30.0], modes=[3.0, 3.0])),
    ("late_collapse", evidence(fid=[30.0, 30.0], modes=[3.0, 8.6]), evidence(fid=[30.0, 30.0], modes=[3.0, 8.5])),
    ("saturated", evidence(grad_norm_g=[0.021]), evidence(grad_norm_g=[0.019])),
    ("saturated", evidence(loss_g=[2.0, 2.0, 2.00011]), evidence(loss_g=[2.0, 2.0, 2.00009])),
    ("one_image", at_best(class_spread=samples.CLASS_SPREAD + 0.01), at_best(class_spread=samples.CLASS_SPREAD - 0.01)),
    ("one_image", at_best(class_spread=0.3, pixel_scale=0.7), at_best(class_spread=0.3, pixel_scale=0.8)),
    ("label_ignored", at_best(accuracy=0.16, confusion=EVEN), at_best(accuracy=0.14, confusion=EVEN)),
    ("label_ignored", at_best(accuracy=0.14, confusion=SURE[::-1]), at_best(accuracy=0.14, confusion=EVEN)),
    ("class_missing", at_best(class_accuracy=worst(0.21)), at_best(class_accuracy=worst(0.19))),
    ("class_missing", at_best(class_accuracy=[0.49, *worst(0.0)[1:]]), at_best(class_accuracy=[0.51, *worst(0.0)[1:]])),
    ("class_missing", at_best(class_accuracy=[0.9] * 7 + [0.0] * 3), at_best(class_accuracy=[0.9] * 8 + [0.0] * 2)),
    ("range", at_best("gan", {"out": "tanh"}, outside=0.009), at_best("gan", {"out": "tanh"}, outside=0.011)),
    ("range", at_best("vae", out_of_range=0.009), at_best("vae", out_of_range=0.011)),
    ("scale", at_best("gan", pixel_scale=LOW + 0.01), at_best("gan", pixel_scale=LOW - 0.01)),
    ("scale", at_best("gan", pixel_shift=HIGH - 0.01), at_best("gan", pixel_shift=-HIGH - 0.01)),
    ("stale_average", evidence(fid_raw=[9.0, 7.0]), evidence(fid_raw=[8.9, 7.0])),
    ("young", evidence(updates_g=[7510], fid=[9.0]), evidence(updates_g=[7490], fid=[9.0])),
    ("young", evidence(updates_g=[900], fid=[9.7]), evidence(updates_g=[900], fid=[9.5])),
    ("young", evidence(updates_g=[510]), evidence(updates_g=[490])),  # it has not warmed up
    ("young", evidence(n=7, updates_g=[900], fid=[9.0]), evidence(updates_g=[900], fid=[9.0])),  # it was stopped early
]  # fmt: skip


@pytest.mark.parametrize(("key", "under", "over"), CASES, ids=[key for key, *_ in CASES])
def test_diagnoses__thresholds(key: str, under: Evidence, over: Evidence) -> None:
    assert [finding.key for finding in diagnose(under) if finding.key == key] == []
    assert [finding.key for finding in diagnose(over)] == [key]


def test_diagnoses__every_one_has_a_case() -> None:
    assert {key for key, *_ in CASES} == set(DIAGNOSES)


def test_diagnoses__sound_trials_and_empty_rows() -> None:
    assert diagnose(evidence()) == diagnose(evidence("cgan")) == []
    assert diagnose(Evidence("gan", config("gan"), [], None, CLASSES)) == []
    bare = {"epoch": 1, "epochs": 8, "status": "nan", "eval_epoch": 0, "loss": float("nan")}
    assert diagnose(Evidence("vae", config("vae"), [bare], None, CLASSES)) == []
    assert diagnose(Evidence("mine", {"rate": 1}, [bare | {"eval_epoch": 1, "fid": 3.0}], None, [])) == []


def test_diagnoses__label_information() -> None:
    assert samples.label_information(SURE) == pytest.approx(1)
    assert samples.label_information(EVEN) == pytest.approx(0)
    assert samples.label_information([[1.0, 0.0], [0.0, 0.0]]) == 0  # one label only


VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("gan", {}),
    ("gan", {"net": "mlp", "d_norm": "none", "ema": 0.9999}),
    ("gan", {"scheme": "wasserstein", "penalty": "gp", "batch_size": 33}),
    ("gan", {"scheme": "minimax", "label_smoothing": 0.1, "pack": 2, "g_steps": 2}),
    ("gan", {"out": "tanh", "ema": 0.5, "lr_g": 1e-5, "lr_decay": 0.5}),
    ("cgan", {}),
    ("cgan", {"label_dim": 100, "d_cond": "projection", "d_norm": "none"}),
    ("cgan", {"net": "pyramid", "penalty": "r1", "scheme": "hinge"}),
    ("cvae", {}),
    ("vae", {}),
    ("ae", {}),
    ("dae", {}),
]


@pytest.mark.parametrize(("model", "sets"), VARIANTS)
@pytest.mark.parametrize("key", list(DIAGNOSES))
def test_diagnoses__advice_is_valid(key: str, model: str, sets: dict[str, Any]) -> None:
    """Each change can be set on top of the trial's own values, and gives a configuration that the model accepts."""
    trial = evidence(model, sets, updates_g=[900])
    pinned = {name: str(value) for name, value in trial.config.items()}
    for change in DIAGNOSES[key].changes(trial):
        assert change
        assert all(value != trial.config[name] for name, value in change.items())
        changed = config(model, **{**pinned, **change})
        assert changed == {**trial.config, **change}
        assert MODELS[model].reads(changed) == changed.keys()
        MODELS[model].check(changed)
        assert all(check(name, value) == value for name, value in changed.items())


@pytest.mark.parametrize("key", [key for key in DIAGNOSES if key not in ("range", "scale")])
def test_diagnoses__each_has_advice_for_cgan(key: str) -> None:
    """Range and scale are faults of a model's code, unless it has `out`."""
    young = {"lr_g": 1e-4, "label_dim": 100}
    assert DIAGNOSES[key].changes(evidence("cgan", young, updates_g=[900]))
    assert DIAGNOSES["range"].changes(evidence("cgan", {"out": "tanh"})) == [{"out": "sigmoid"}]


def test_diagnoses__what_is_advised() -> None:
    won = evidence(sets={"lr_d": 0.01, "d_norm": "none"}, d_real=[0.99] * 3, d_fake=[0.0] * 3)
    assert diagnose(won)[0].sets == [
        ["--set", "lr_d=0.0025"],
        ["--set", "d_norm=spectral"],
        ["--set", "label_smoothing=0.1"],
    ]
    young = evidence(updates_g=[2000], fid=[5.0])
    assert [" ".join(words) for words in diagnose(young)[0].sets] == [
        "--set epochs=30",
        "--set lr_g=0.000758 --set lr_d=0.000758",
    ]
    assert str(diagnose(young)[0]) == (
        "too young to judge: updates x lr_g = 0.4, and a GAN is old enough to judge from 1.5 on; "
        "try --set epochs=30, or --set lr_g=0.000758 --set lr_d=0.000758"
    )
    assert MATURE_PATH == 1.5


# Where findings are shown


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """The small sweep of a VAE with pixels out of range in trial 1, the winner, and in trial 0."""
    made = sweeps.make(tmp_path / "faulty")
    for number in (0, 1):
        rows = made / "trials" / f"000{number}" / "rows.jsonl"
        lines = [json.loads(line) | {"out_of_range": 0.2} for line in rows.read_text().splitlines()]
        rows.write_text("".join(json.dumps(row) + "\n" for row in lines))
    return made


LINE = "output range differs from the data's: 20.0% of the generated pixels are outside [0, 1]"


def test_diagnoses__status(faulty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(faulty)]) == 0
    assert "findings in the newest 4 trials: 2 output range differs from the data's\n" in capsys.readouterr().out
    assert main(["status", str(faulty), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == {"trials": 4, "counts": {"range": 2}}


def test_diagnoses__best(faulty: Path, made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["best", str(faulty)]) == 0
    assert f"\nFindings:\n  {LINE}\n" in capsys.readouterr().out
    assert main(["best", str(faulty), "--json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)[0]["findings"]
    assert (finding["key"], finding["value"], finding["sets"]) == ("range", 0.2, [])
    assert main(["best", str(made)]) == 0
    assert "\nFindings: none.\n" in capsys.readouterr().out


@pytest.mark.long
def test_diagnoses__failure_map(faulty: Path) -> None:
    (info,) = failures.data(results.load(faulty))
    assert info.findings == [["range"], ["range"], [], []]
    assert failures.caption([info]).startswith(
        "1 of 4 trials failed (1 nan). Findings: 2 output range differs from the data's. The clearest cut"
    )
    failures.draw(info, style.new_figure(4, 3).add_subplot())


@pytest.mark.long
def test_diagnoses__report(faulty: Path) -> None:
    sweep = results.load(faulty)
    context = findings_context(sweep, ranking.winner(sweep))
    assert [finding["title"] for finding in context["winner"]] == ["output range differs from the data's"]
    assert [(line["title"], line["trials"]) for line in context["counts"]] == [
        ("output range differs from the data's", 2)
    ]
    assert context["by_trial"][2] == ""


def test_diagnoses__counts() -> None:
    diagnosed = {0: diagnose(evidence(grad_norm_g=[0.0])), 1: diagnose(evidence(fid_raw=[5.0, 5.0])), 2: []}
    counts = diagnoses.count(diagnosed)
    assert counts == {"saturated": 1, "stale_average": 1}
    assert diagnoses.describe_counts(counts) == "1 saturated, 1 stale averages"
    assert diagnoses.describe_counts({}) == "none"

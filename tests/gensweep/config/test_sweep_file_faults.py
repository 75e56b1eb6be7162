"""Faults of a sweep file: all at once, each with the file, the line and the key as it is written there."""

from pathlib import Path

import pytest
from helpers.command_line import refused, tree

from gensweep.cli.main import main

pytestmark = pytest.mark.usefixtures("at_home")
HEAD = "method: random\nparameters:\n"


def lines_of(capsys: pytest.CaptureFixture[str], text: str, model: str = "vae") -> list[str]:
    """The lines of a refusal of a file, which changes nothing."""
    Path("sweep.yaml").write_text(text, encoding="utf-8")
    before = tree(Path())
    assert main(["run", model, "sweep.yaml", "--dry-run"]) == 2
    out, err = capsys.readouterr()
    assert (out, tree(Path())) == ("", before)
    lines = err.splitlines()
    assert all(line.startswith("gensweep: ") for line in lines)
    return [line.removeprefix("gensweep: ") for line in lines]


def test_faults__all_at_once_in_the_order_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        f"{HEAD}  learning_rate: {{min: 1, max: 2}}\n  lr: {{value: null}}\n  model.batch-size: {{value: 8}}\n"
        "  dropout: {value: 0.1}\n  width: {values: [[64, 32], [8]]}\n  seed: {value: 3}\n"
        "  beta: {values: ['0.5, 1']}\nearly_terminate: {type: median}\nmetric: {name: fid, goal: minimise}\n"
    )
    assert lines_of(capsys, text) == [
        "sweep.yaml:3: parameters: unknown key of vae 'learning_rate': write 'lr'",
        "sweep.yaml:4: parameters: lr: null: a number or a word is needed",
        "sweep.yaml:5: parameters: unknown key of vae 'model.batch-size': write 'batch_size'",
        "sweep.yaml:6: parameters: unknown key of vae 'dropout'",
        "sweep.yaml:7: parameters: width: [64, 32] is a list, and the key takes one value",
        "sweep.yaml:8: parameters: seed belongs to the sweep and not to the model: write seed: at the top level",
        "sweep.yaml:9: parameters: beta: '0.5, 1' is one text: write a list of values, [a, b], if several are meant",
        "sweep.yaml:10: early_terminate: type 'median': it is hyperband",
        "sweep.yaml:11: metric: unknown goal 'minimise': did you mean 'minimize'? (known: minimize, maximize)",
        "the keys of vae: latent_dim, lr, batch_size, width, epochs, steps_per_epoch, lr_decay, net, beta1, beta2, "
        "precision, likelihood, sigma, beta, warmup, free_bits",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{HEAD}  lr: {{values: [true, 0.1]}}\n", "sweep.yaml:3: parameters: lr: 'true' is not a number"),
        (f"{HEAD}  lr: {{value: 20}}\n", "is out of range: 1e-12 to 10"),
        (f"{HEAD}  sigma: {{value: 1}}\n", "sigma is set, and no trial reads it"),
        (
            f"{HEAD}  lr: {{distribution: log_uniform, min: 1e-5, max: 1.0e-3}}\n",
            "takes exponents of e, so this is 1.00001 to 1.001: write log_uniform_values",
        ),
        (f"{HEAD}  lr: {{distribution: normal, mu: 0.001, sigma: 0.001}}\n", "from min: 1e-12 to max: 0.003"),
        (f"{HEAD}  lr: {{value: 1}}\n  lr: {{value: 2}}\n", "yaml:4: parameters: lr stands twice: also in line 3"),
        (f"{HEAD}\tlr: {{value: 1}}\n", "sweep.yaml:3: a tab: YAML is indented by spaces"),
        (f"{HEAD}  lr: {{value: 1\n", "this is not YAML: "),
        (f"{HEAD}  lr: {{value: 1}}\n---\ntrials: 3\n", "sweep.yaml:5: a second document begins here"),
        ("defaults:\n  - model: vae\nhydra: {}\n", "sweep.yaml is a configuration of Hydra: list what is searched"),
        ("study_name: x\ndirection: minimize\n", "sweep.yaml is a file for Optuna"),
        (f"sweep_config:\n  {HEAD.replace(chr(10), chr(10) + '  ')}  lr: {{value: 1}}\n", "under 'sweep_config'"),
        ("trials: 3\nset: {learn_rate: 1}\n", "sweep.yaml:2: set: unknown key of vae 'learn_rate': write 'lr'"),
        ("trials: 3\nset: {lr: null_}\n", "sweep.yaml:2: set: lr: 'null_' is not a number"),
        ("trials: 5.0\n", "sweep.yaml: trials 5.0: a whole number is needed"),
        ("model: gan\ntrials: 3\n", "sweep.yaml:1: model: it is typed, gensweep run MODEL FILE"),
    ],
)  # fmt: skip
def test_faults__one_line(capsys: pytest.CaptureFixture[str], text: str, says: str) -> None:
    Path("sweep.yaml").write_text(text)
    assert says in refused(capsys, "run", "vae", "sweep.yaml")


def test_faults__the_rates_of_a_gan(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"{HEAD}  learning_rate: {{value: 1}}\n  generator_learning_rate: {{value: 1}}\n  n_critic: {{value: 2}}\n"
    assert [line.partition(": write ")[2] for line in lines_of(capsys, text, "gan")][:3] == [
        "'lr_g' and 'lr_d'",
        "'lr_g'",
        "'d_steps'",
    ]


def test_sound__null_is_the_default_and_home_is_home(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("sweep.yaml").write_text("trials: null\nsampler: null\nscheduler: null\nresults: ~/mine\n")
    assert main(["run", "vae", "sweep.yaml", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{tmp_path}/mine/vae-digits: vae on digits, 20 trials")
    assert "tpe; asha" in out


def test_sound__what_is_left_out_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    values = "{values: [0.001, 0.01, 0.1], probabilities: [0.5, 0, 0.5]}"
    Path("sweep.yaml").write_text(f"name: Größe 变分\nmethod: bayes\nparameters:\n  lr: {values}\n", encoding="utf-8")
    assert main(["run", "vae", "sweep.yaml", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "ignored, since they have no meaning here: lr.probabilities, lr.values 0.01 (its probability is 0)" in out
    assert "results/Größe-变分: vae on digits" in out

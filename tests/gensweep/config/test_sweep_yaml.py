"""W&B sweep files: one in the schema of their public documentation runs as it is, broken ones are one line each, and a
resolved sweep written back as one is the same sweep."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.command_line import refused, trials
from optuna.distributions import IntDistribution

from analysis.read import results
from analysis.read.manifest import SweepManifest
from gensweep.cli.main import main
from gensweep.config import save_file, sweep_parameters, sweep_yaml
from gensweep.config.manifest import IDENTITY
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.errors import UserError
from gensweep.search.study_storage import open_study
from gensweep.sweep.run_sweep import read_manifest
from search_spaces import SPACES
from search_spaces.override import Probe, apply

pytestmark = pytest.mark.usefixtures("at_home")

# After the examples of https://docs.wandb.ai/models/sweeps/define-sweep-configuration, with this model's names.
DOCUMENTED = """
program: train.py
name: sweep demo
description: as their documentation writes it
project: mine
method: random
metric:
  goal: minimize
  name: fid
  target: 0.5
parameters:
  batch_size:
    distribution: q_log_uniform_values
    max: 256
    min: 32
    q: 8
  epochs:
    value: 2
  width:
    values: [8, 16]
  lr:
    distribution: uniform
    max: 0.1
    min: !!float 1e-5
early_terminate:
  type: hyperband
  s: 2
  eta: 3
  max_iter: 9
run_cap: 3
command:
  - ${env}
  - ${interpreter}
  - ${program}
  - ${args}
"""


def manifest_of(content: str | dict[str, Any], model: str = "vae", **more: Any) -> SweepManifest:
    """The resolved sweep of a file."""
    Path("of.yaml").write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    file = sweep_yaml.read("of.yaml", model)
    pins = {**(sweep_parameters.rest(model, file.options["set"]) if file.closed else {}), **file.options.pop("set", {})}
    return make_manifest(Options(model, **{**file.options, **more, "set": pins}), [])


@pytest.mark.slow
@pytest.mark.ray
def test_sweep_yaml__documented_wandb_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("sweep.yaml").write_text(DOCUMENTED)
    assert main(["run", "vae", "sweep.yaml", "--concurrent", "2"]) == 0
    said = capsys.readouterr().out
    ignored = "program, command, project, description, metric.target"
    assert said.startswith(f"sweep.yaml: ignored, since they have no meaning here: {ignored}\n")
    assert "left at the defaults: likelihood=bernoulli, beta=1.0, latent_dim=20\n" in said
    assert said.splitlines()[-1] == "next: gensweep report results/sweep-demo"
    sweep = Path("results/sweep-demo")
    manifest = read_manifest(sweep)
    assert (manifest.trials, manifest.sampler, manifest.scheduler) == (3, "random", "asha")
    assert (manifest.grace, manifest.reduction_factor) == (1, 3)
    searched = {"batch_size", "width", "lr"}
    assert set(manifest.searched) == searched
    assert [set(params) for _, _, params, *_ in trials(sweep)] == [searched] * 3
    for number in range(3):
        config = results.read_trial(results.load(sweep), number).config
        assert config["batch_size"] in range(32, 257, 8)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"method": None}, "unknown method 'None'"),
        ({"method": "baye"}, "did you mean 'bayes'"),
        ({"metric": {"name": "validation_loss"}}, "unknown metric 'validation_loss'"),
        ({"metric": {"name": "fid", "goal": "minimise"}}, "did you mean 'minimize'"),
        ({"metric": {"name": "fid", "goal": "maximize"}}, "lower is better"),
        ({"metric": {"nmae": "fid"}}, "{name: fid, goal: minimize}"),
        ({"parameters": {}}, "a mapping such as"),
        ({"parameters": {"learning_rate": {"value": 1}}}, "unknown key of vae 'learning_rate': write 'lr'"),
        ({"parameters": {"lr": 0.1}}, "parameters: lr: 0.1"),
        ({"parameters": {"lr": {"min": 0.1}}}, "value, values, min and max"),
        ({"parameters": {"lr": {"min": 0.1, "max": 0.01}}}, "min 0.1 is above max 0.01"),
        ({"parameters": {"lr": {"min": 0.0, "max": 0.1}}}, "out of range"),
        ({"parameters": {"lr": {"min": "low", "max": 1}}}, "min 'low'"),
        ({"parameters": {"lr": {"distribution": "loguniform", "min": 1, "max": 2}}}, "did you mean 'log_uniform'"),
        ({"parameters": {"lr": {"distribution": "log_uniform_values", "min": 0, "max": 1}}}, "starts above 0"),
        ({"parameters": {"lr": {"distribution": "log_uniform", "min": 0, "max": 9999}}}, "log_uniform_values"),
        ({"parameters": {"lr": {"distribution": "normal", "mu": 3}}}, "uniform from min: 1 to max: 5"),
        ({"parameters": {"lr": {"distribution": "q_log_normal"}}}, "q_log_uniform_values from min: 0.135 to max: 7.39"),
        ({"parameters": {"lr": {"distribution": "beta"}}}, "min: 0 to max: 1"),
        ({"parameters": {"lr": {"values": []}}}, "a list such as"),
        ({"parameters": {"lr": {"value": 1, "values": [1]}}}, "'value' means nothing in a categorical"),
        ({"parameters": {"lr": {"distribution": "q_uniform", "min": 0.1, "max": 0.2}}}, "than two multiples"),
        ({"parameters": {"lr": {"distribution": "q_uniform", "min": 1, "max": 2, "q": 0}}}, "more than 0"),
        ({"parameters": {"width": {"values": [8, 16], "probabilities": [1]}}}, "one for each of the 2 values"),
        ({"parameters": {"width": {"values": [8, 16], "probabilities": [0.9, 0.1]}}}, "equal chances"),
        ({"parameters": {"adam": {"parameters": {"lr": {"value": 1}}}}}, "key of vae 'adam.lr': write 'lr'"),
        ({"parameters": {"lr": {"parameters": {"x": {"value": 1}}}}}, "yaml:7: parameters: unknown key of vae 'lr.x'"),
        ({"parameters": {"batch_size": {"distribution": "int_uniform", "min": 1.5, "max": 9}}}, "whole numbers"),
        ({"parameter": {"lr": {"value": 1}}}, "did you mean 'parameters'"),
        ({"early_terminate": {"type": "median"}}, "it is hyperband"),
        ({"early_terminate": {"type": "hyperband"}}, "min_iter is needed, or max_iter and s"),
        ({"early_terminate": {"type": "hyperband", "min_iter": 0}}, "at least 1"),
        ({"early_terminate": {"type": "hyperband", "min_iter": 3, "eta": 1.5}}, "a whole number"),
        ({"early_terminate": {"type": "hyperband", "max_iter": 2, "s": 2}}, "no epoch to decide at"),
        ({"early_terminate": {"type": "hyperband", "min_iter": 50}}, "longer than the longest trial"),
        ({"run_cap": 0}, "at least 1"),
        ({"method": "grid", "parameters": {"lr": {"min": 0.1, "max": 0.2}}}, "a grid needs values for lr"),
        ({"method": "grid", "parameters": {"beta": {"min": 0, "max": 10**6}}}, "a grid of 1000001 values"),
    ],
)
def test_sweep_yaml__broken_files(changed: dict[str, Any], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole = {
        "method": "random",
        "metric": {"name": "fid"},
        "parameters": {"lr": {"value": 0.001}, "width": {"values": [8, 16]}},
    }
    Path("sweep.yaml").write_text(yaml.safe_dump({**whole, **changed}))
    assert says in refused(capsys, "run", "vae", "sweep.yaml")


@pytest.mark.parametrize("missing", ["method", "parameters"])
def test_sweep_yaml__missing_part(missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole = {"program": "x.py", "method": "random", "parameters": {"lr": {"value": 1}}}
    Path("sweep.yaml").write_text(yaml.safe_dump({key: value for key, value in whole.items() if key != missing}))
    assert f"needs a {missing!r}" in refused(capsys, "run", "vae", "sweep.yaml")


@pytest.mark.parametrize(
    ("told", "box"),
    [
        ({"min": 0.001, "max": 0.1}, {"kind": "float", "low": 0.001, "high": 0.1, "log": False}),
        ({"distribution": "log_uniform_values", "min": "1e-4", "max": 1}, {"low": 1e-4, "high": 1.0, "log": True}),
        ({"distribution": "log_uniform", "min": -4.605170185988091, "max": 0}, {"low": 0.01, "high": 1.0, "log": True}),
        ({"distribution": "inv_log_uniform", "min": 0, "max": 4.605170185988091}, {"low": 0.01, "high": 1.0}),
        ({"distribution": "inv_log_uniform_values", "min": 0.01, "max": 1}, {"low": 0.01, "high": 1.0, "log": True}),
        ({"distribution": "q_uniform", "min": 0.05, "max": 0.5, "q": 0.1}, {"low": 0.1, "high": 0.5, "step": 0.1}),
        ({"min": 1, "max": 5}, {"kind": "float", "low": 1.0, "high": 5.0, "step": 1.0}),
        ({"values": ["1e-5", 0.1]}, {"kind": "categorical", "choices": [1e-5, 0.1]}),
        ({"values": [0.1, 0.2, 0.3], "probabilities": [0.5, 0, 0.5]}, {"choices": [0.1, 0.3]}),
        ({"distribution": "constant", "value": 0.5}, {"kind": "fixed", "value": 0.5}),
    ],
)
def test_sweep_yaml__distributions(told: dict[str, Any], box: dict[str, Any]) -> None:
    manifest = manifest_of({"method": "random", "parameters": {"beta": told, "lr": {"min": 0.001, "max": 0.01}}})
    assert {**(beta := manifest.space["beta"].to_json()), **box} == beta


def test_sweep_yaml__other_keys_not_searched() -> None:
    parameters = {"likelihood": {"values": ["bernoulli", "gaussian"]}}
    manifest = manifest_of({"method": "bayes", "parameters": parameters})
    assert set(manifest.searched) == {"likelihood", "sigma"}  # no default for it
    assert manifest_of({"set": {"beta": 1}}).space["lr"].kind == "float"


def test_sweep_yaml__grid() -> None:
    parameters = {"latent_dim": {"min": 2, "max": 10}, "width": {"values": [8, 16, 32]}}
    manifest = manifest_of({"method": "grid", "parameters": parameters})
    assert (manifest.trials, manifest.scheduler) == (1 + 9 * 3, "none")
    assert manifest_of({"method": "grid", "parameters": parameters, "run_cap": 4}).trials == 4


def test_sweep_yaml__typed_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    Path("sweep.yaml").write_text(yaml.safe_dump({"method": "bayes", "parameters": {"beta": {"min": 0.5, "max": 2.0}}}))
    assert main(["run", "vae", "sweep.yaml", "--epochs", "3", "--set", "width=8", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "epochs           = 3\n" in said
    assert "width            = 8\n" in said


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("vae", {}),
        ("gan", {"sampler": "gp", "scheduler": "median", "grace": 2, "seed": 7, "set": {"penalty": "gp,r1"}}),
        ("ae", {"sampler": "random", "scheduler": "none", "precision": "bf16", "every": 2, "alarm": False}),
        ("vae", {"set": {"batch_size": "32:256:log:8", "beta": "0.5:2:0.5", "lr": "1e-4:1e-2:linear"}, "epochs": 6}),
        ("gan", {"objective": "fid:min,precision:max", "primary": "precision", "constraints": ["modes>=7"]}),
        ("dae", {"start": {"lr": 5e-4}, "points": [{"lr": 2e-3}], "dataset": "mnist", "trials": 9, "grace": 2}),
        ("vae", {"sampler": "grid", "set": {"latent_dim": 8, "lr": "1e-3,1e-2", "epochs": 4, "beta": 1,
                 "likelihood": "bernoulli", "batch_size": "64,128", "width": 128}}),
    ],
)  # fmt: skip
def test_sweep_yaml__round_trip(model: str, options: dict[str, Any]) -> None:
    manifest = make_manifest(Options(model, **options), [])
    again, first = manifest_of(save_file.written(manifest), model).to_json(), manifest.to_json()
    assert all(again[key] == first[key] for key in ("name", *IDENTITY))


def test_sweep_yaml__save_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "vae", "--trials", "4", "--save-file", "mine.yaml"]) == 0
    assert capsys.readouterr().out == "wrote mine.yaml\nnext: gensweep run vae mine.yaml\n"
    assert [path.name for path in Path().iterdir()] == ["mine.yaml"]
    assert manifest_of(Path("mine.yaml").read_text()).trials == 4
    Path("of.yaml").unlink()
    assert "mine.yaml already exists: name another file" in refused(capsys, "run", "vae", "--save-file", "mine.yaml")
    assert "cannot be written" in refused(capsys, "run", "vae", "--save-file", "no/mine.yaml")


def test_sweep_yaml__steps() -> None:
    space = apply(SPACES["vae"], {"batch_size": "33:260:log:8", "beta": "0.3:0.95:0.1"})
    drawn = [space.space(Probe(seed)) for seed in range(50)]
    assert {config["batch_size"] % 8 for config in drawn} == {0}
    assert min(config["batch_size"] for config in drawn) == 40
    assert max(config["batch_size"] for config in drawn) == 256
    assert {config["beta"] for config in drawn} <= {0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}
    for text in ("1:2:log:log", "1:2:3:4", "1:2:fast", "1:2:-1", "1:9:5", "2:9:linear:log"):
        with pytest.raises(UserError):
            apply(SPACES["vae"], {"beta": text})
    with pytest.raises(UserError, match="is not a sweep file"):
        manifest_of("[]")


def test_sweep_yaml__steps_in_the_optuna_study(tmp_path: Path) -> None:
    manifest = make_manifest(Options("vae", set={"latent_dim": "8:64:linear:8", "batch_size": "32:256:log:8"}), [])
    space = apply(SPACES["vae"], manifest.set)
    with open_study(tmp_path, manifest, {}) as study:
        study.ask()  # trial 0
        trial = study.ask()
        config = space.space(trial)
        assert trial.distributions["latent_dim"] == IntDistribution(8, 64, step=8)
        assert trial.params["latent_dim"] == config["latent_dim"]
        assert config["batch_size"] == 8 * round(trial.params["batch_size"] / 8)

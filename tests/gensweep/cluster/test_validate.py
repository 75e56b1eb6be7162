"""`gensweep cluster check` on whole files with one fault each: one clear line, exit code 2, before anything is made."""

import copy
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import ROOT

from gensweep import __version__
from gensweep.cli.main import main

pytestmark = pytest.mark.long

Config = dict[str, Any]
Break = Callable[[Config, Path], object]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a token, a key, a wheel and the programs that are needed; it is also the working directory."""
    pytest.importorskip("boto3")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))  # nothing depends on what this machine has
    monkeypatch.chdir(tmp_path)
    for name in (".ray/auth_token", ".ssh/id_ed25519", f"dist/gensweep-{__version__}-py3-none-any.whl"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text("0123456789abcdef", encoding="utf-8")
        path.chmod(0o600)
    (tmp_path / "bin").mkdir()
    for name in ("ssh", "rsync"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def aws() -> Config:
    """cluster.yaml, edited as it asks to be."""
    text = (ROOT / "cluster.yaml").read_text(encoding="utf-8")
    config: Config = yaml.safe_load(text.replace("ami-0000", "ami-1234").replace("fs-0000", "fs-1234"))
    return config


def onprem() -> Config:
    """deploy/onprem.yaml, edited as it asks to be."""
    config: Config = yaml.safe_load((ROOT / "deploy/onprem.yaml").read_text(encoding="utf-8"))
    config["provider"] |= {"head_ip": "10.0.0.1", "worker_ips": ["10.0.0.2", "10.0.0.3"]}
    return config


def check(config: Config, home: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    (home / "file.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    before = sorted(home.rglob("*"))
    code = main(["cluster", "check", "file.yaml", *words])
    assert sorted(home.rglob("*")) == before
    return code, capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("whole", [aws, onprem])
def test_validate__shipped_files_pass_once_edited(
    whole: Callable[[], Config], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(whole(), home, capsys, "--", "run", "gan", "--trials", "64") == (0, [])


def drop(config: Config, *keys: str) -> None:
    for key in keys[:-1]:
        config = config[key]
    del config[keys[-1]]


def node(config: Config) -> Config:
    found: Config = config["available_node_types"]["gpu_worker"]["node_config"]
    return found


def big(home: Path) -> None:
    with (home / "dist/data").open("wb") as file:
        file.truncate(600 * 10**6)  # sparse: nothing is written


OLD = "2.9.3"
FAULTS: list[tuple[Callable[[], Config], Break, str]] = [
    (onprem, lambda c, h: c.update(idle_timeout_minuets=5), "unknown key 'idle_timeout_minuets': did you mean 'idle_t"),
    (onprem, lambda c, h: drop(c, "cluster_name"), "the file: 'cluster_name' is a required property"),
    (onprem, lambda c, h: c.update(max_workers="two"), "max_workers: 'two' is not of type 'integer'"),
    (onprem, lambda c, h: c["provider"].update(worker_ip="10.0.0.9"), "provider: unknown key 'worker_ip': did you"),
    (onprem, lambda c, h: drop(c, "provider", "head_ip"), "provider.head_ip is missing"),
    (onprem, lambda c, h: c["provider"].update(type="locl"), "provider.type: unknown provider 'locl': did you mean 'l"),
    (onprem, lambda c, h: c["provider"].update(head_ip="192.0.2.10"), "192.0.2.10 is an example value"),
    (onprem, lambda c, h: c["provider"]["worker_ips"].append("10.0.0.1"), "10.0.0.1 is named twice"),
    (onprem, lambda c, h: c.update(max_workers=3), "max_workers is 3, but 2 worker_ips are listed"),
    (onprem, lambda c, h: (h / ".ray/auth_token").unlink(), "~/.ray/auth_token does not exist or is empty"),
    (onprem, lambda c, h: (h / ".ray/auth_token").chmod(0o644), "~/.ray/auth_token can be read by others: chmod 600"),
    (onprem, lambda c, h: drop(c, "file_mounts", "~/.ray/auth_token"), "the nodes would have no token"),
    (onprem, lambda c, h: drop(c, "initialization_commands"), "RAY_AUTH_MODE is never set: it must be token"),
    (onprem, lambda c, h: c["setup_commands"].append("echo 0123456789abcdef"), "the token is written in the file"),
    (onprem, lambda c, h: (h / ".ssh/id_ed25519").chmod(0o644), "can be read by others, and ssh refuses it"),
    (onprem, lambda c, h: (h / ".ssh/id_ed25519").unlink(), "auth.ssh_private_key: ~/.ssh/id_ed25519 does not exist"),
    (onprem, lambda c, h: (h / "bin/ssh").unlink(), "ssh is not installed on this machine"),
    (aws, lambda c, h: (h / "bin/rsync").unlink(), "rsync is not installed on this machine"),
    (onprem, lambda c, h: big(h), "600 MB to each node, most of it dist"),
    (onprem, lambda c, h: drop(c, "metadata"), "metadata.results is missing"),
    (onprem, lambda c, h: c["metadata"].update(results="sweeps"), "metadata.results sweeps: it must be the absolute"),
    (onprem, lambda c, h: c["metadata"].update(results="/tmp/sweeps"), "/tmp/sweeps: it must be the absolute path of"),
    (aws, lambda c, h: c["docker"].update(image=f"rayproject/ray:{OLD}-py311-gpu"), f"has Ray {OLD}, and this machine"),
    (aws, lambda c, h: c["docker"].update(image="rayproject/ray:latest-gpu"), "does not pin Ray and Python"),
    (aws, lambda c, h: c["docker"].update(image=f"rayproject/ray:{version('ray')}-py310-gpu"), "different Pythons"),
    (aws, lambda c, h: c["setup_commands"].append(f"pip install ray=={OLD}"), f"ray=={OLD}, and this machine has Ray"),
    (aws, lambda c, h: node(c).update(InstanceTyp="p3"), "gpu_worker.node_config: unknown key 'InstanceTyp': did you"),
    (aws, lambda c, h: node(c)["BlockDeviceMappings"][0].update(Eps={}), 'Unknown parameter in BlockDeviceMappings[0]'),
    (aws, lambda c, h: node(c).pop("ImageId"), "ImageId is missing, and Ray would use an image of Ubuntu 18.04"),
    (aws, lambda c, h: c["provider"].update(regoin="x"), "provider: unknown key 'regoin': did you mean 'region'?"),
    (aws, lambda c, h: c["provider"].update(aws_credentials={}), "AWS keys are written in the file"),
    (aws, lambda c, h: c.update(head_node_type="hed"), "head_node_type: unknown node type 'hed': did you mean 'head'?"),
    (aws, lambda c, h: c["head_start_ray_commands"].append("ray x --dashboard-host=0.0.0.0"), "opens the dashboard"),
]  # fmt: skip


@pytest.mark.parametrize(("whole", "spoil", "line"), FAULTS, ids=[line[:40] for _, _, line in FAULTS])
def test_validate__one_fault_one_line(
    whole: Callable[[], Config], spoil: Break, line: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = copy.deepcopy(whole())
    spoil(config, home)
    code, said = check(config, home, capsys)
    assert code == 2
    assert len(said) == 1, said
    assert line in said[0]


SWEEPS = {
    "--gpus-per-trial 2": "gpus-per-trial 2: no node has more than 1 GPUs (head, gpu_worker)",
    "--cpus-per-trial 8": "cpus-per-trial 8: no node has more than 4 CPUs (head, gpu_worker)",
    "--storage sqlite:////mnt/gensweep/study.db": "SQLite must not be in a folder that machines share",
    "--results /home/me": "results /home/me is not in /mnt/gensweep, which the nodes share",
}


@pytest.mark.parametrize("options", SWEEPS)
def test_validate__sweep_too_large_for_the_nodes(options: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = check(aws(), home, capsys, "--", "run", "gan", *options.split())
    assert (code, len(said)) == (2, 1)
    assert SWEEPS[options] in said[0]


BAD = {
    "cluster check none.yaml": "cannot read 'none.yaml'",
    "cluster lift file.yaml": "invalid choice: 'lift'",
    "submit file.yaml": "say what to run behind --",
    "submit file.yaml -- rum gan": "unknown command 'rum': did you mean 'run'?",
    "submit file.yaml -- run gan --trails 3": "unrecognized arguments: --trails 3",
    "submit file.yaml -- run gan mine.yaml": "mine.yaml is on this machine, and the sweep is not",
}


@pytest.mark.parametrize(
    ("words", "program"),
    [
        ("cluster down file.yaml", "ssh"),
        ("submit file.yaml -- run gan", "ssh"),
        ("fetch file.yaml gan-digits", "ssh"),
        ("fetch file.yaml gan-digits", "rsync"),
    ],
)
def test_validate__missing_program(words: str, program: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "file.yaml").write_text(yaml.safe_dump(onprem()), encoding="utf-8")
    (home / "bin" / program).unlink()
    assert main(words.split()) == 2
    assert capsys.readouterr().err.splitlines() == [f"gensweep: {program} is not installed on this machine"]


@pytest.mark.parametrize("words", BAD)
def test_validate__bad_usage(words: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "file.yaml").write_text(yaml.safe_dump(onprem()), encoding="utf-8")
    assert main(words.split()) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert BAD[words] in said[0]

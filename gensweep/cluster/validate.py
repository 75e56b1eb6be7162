"""Check a cluster file and what it needs on this machine before anything is created; every fault is one line.

Ray's own schema does not check `provider` and `node_config`, and `ray up` reports one fault at a time, some of them
only on the nodes. The checks here use no network and write nothing.
"""

import importlib.util
import json
import re
from collections.abc import Generator
from importlib.metadata import version
from pathlib import Path

from gensweep.cluster.validate_access import Config, check_mounts, check_secrets, check_ssh, check_token, iter_strings
from gensweep.config.options import Options
from gensweep.errors import UserError, did_you_mean
from trainables.filestore import is_url

PROVIDER_KEYS = {  # what Ray's node providers read, besides `type`; the keys of other providers are not checked
    "local": ("head_ip", "worker_ips", "external_head_ip", "coordinator_address", "use_internal_ips"),
    "aws": (
        *("region", "availability_zone", "cache_stopped_nodes", "key_pair", "security_group", "cloudwatch"),
        *("use_internal_ips", "use_external_head_ip", "aws_credentials", "disable_node_updaters"),
        *("disable_launch_config_check", "foreground_node_launch", "worker_liveness_check", "worker_rpc_drain"),
    ),
}
PROVIDERS = (  # of Ray 2.60, for a hint only; a test compares them with Ray's own list
    *("local", "fake_multinode", "fake_multinode_docker", "readonly", "aws", "gcp", "vsphere", "azure", "kuberay"),
    *("aliyun", "external", "spark"),
)
NOT_SHARED = ("/tmp", "/var/tmp", "/dev/shm")
EXAMPLE_VALUES = re.compile(r"192\.0\.2\.\d+|ami-0{17}|fs-0{17}")
SQLITE_ON_SHARED = (
    "SQLite must not be in a folder that machines share, because its locks do not work there: leave --storage out "
    "(then Optuna's journal file is used), or give the address of a server, postgresql://..."
)


def read_cluster_file(path: str) -> Config:
    """Return the content of a cluster file.

    Raises:
        UserError: the file cannot be read, or is not a mapping.
    """
    import yaml

    try:
        config = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"cannot read {path!r}: {' '.join(str(error).split())}") from error
    if not isinstance(config, dict) or not isinstance(config.get("provider", {}), dict):
        raise UserError(f"{path!r} is not a cluster file: it must be a mapping with cluster_name and provider")
    return config


def cluster_faults(config: Config, options: Options | None = None) -> list[str]:
    """Return the faults that would keep the cluster from starting or would let others use it.

    If the options of a sweep are given, return also what would keep that sweep from running there.
    """
    faults = [*_check_schema(config), *_check_provider(config)]
    if faults:  # the other checks assume that the file has the right shape
        return faults
    faults += [*_check_nodes(config), *_check_versions(config), *check_token(config), *check_secrets(config)]
    faults += [*check_ssh(config), *check_mounts(config), *_check_results(config)]
    return faults if options is None else [*faults, *_check_sweep(config, options)]


def _check_schema(config: Config) -> Generator[str]:
    import ray
    from jsonschema import Draft7Validator

    path = Path(ray.__file__).parent / "autoscaler/ray-schema.json"
    if not path.exists():  # not public, so another Ray may have it elsewhere; `ray up` checks the file anyway
        return
    schema = json.loads(path.read_text(encoding="utf-8"))
    if "worker_ips" in config.get("provider", {}):
        schema["properties"]["min_workers"] = schema["properties"]["max_workers"]  # Ray removes it before it validates
    for error in sorted(Draft7Validator(schema).iter_errors(config), key=lambda error: error.json_path):
        where = error.json_path.removeprefix("$").lstrip(".")
        if error.validator == "additionalProperties":
            known = error.schema["properties"]
            for key in sorted(set(error.instance) - set(known)):
                yield f"{where + ': ' if where else ''}{did_you_mean('key', key, known)}"
        else:
            yield f"{where or 'the file'}: {error.message}"


def _check_provider(config: Config) -> Generator[str]:
    provider = config.get("provider", {})
    kind = provider.get("type")
    if kind is None:
        return  # the schema check reports it
    if kind not in PROVIDERS:
        yield f"provider.type: {did_you_mean('provider', str(kind), PROVIDERS)}"
    for key in provider:
        if kind in PROVIDER_KEYS and key not in ("type", *PROVIDER_KEYS[kind]):
            yield f"provider: {did_you_mean('key', str(key), PROVIDER_KEYS[kind])}"
    if kind == "local" and "coordinator_address" not in provider:
        yield from (f"provider.{key} is missing" for key in ("head_ip", "worker_ips") if key not in provider)
        if config.get("available_node_types"):
            yield "available_node_types: Ray refuses them with provider 'local', whose machines are fixed"
    if kind == "aws":
        yield from _check_ec2(config)


def _check_ec2(config: Config) -> Generator[str]:
    """Yield what EC2 would refuse in each `node_config`; botocore knows the schema of the request."""
    if importlib.util.find_spec("boto3") is None:
        yield "provider 'aws' needs boto3 on this machine: pip install 'gensweep[aws]'"
        return
    if "region" not in config["provider"]:
        yield "provider.region is missing"
    from botocore.session import get_session
    from botocore.validate import ParamValidator

    shape = get_session().get_service_model("ec2").operation_model("RunInstances").input_shape
    known = [*shape.members, "SubnetIds"]  # Ray itself reads SubnetIds
    for name, kind in (config.get("available_node_types") or {}).items():
        where, node = f"available_node_types.{name}.node_config", kind["node_config"]
        for key in sorted(set(node) - set(known)):
            yield f"{where}: {did_you_mean('key', key, known)}"
        for key in {"InstanceType", "ImageId"} - set(node):
            yield f"{where}: {key} is missing{', and Ray would use an image of Ubuntu 18.04' * (key == 'ImageId')}"
        rest = {key: value for key, value in node.items() if key in shape.members} | {"MinCount": 1, "MaxCount": 1}
        report = ParamValidator().validate(rest, shape).generate_report()
        yield from (f"{where}: {line}" for line in report.splitlines())
    types = config.get("available_node_types") or {}
    if config.get("head_node_type") not in types:
        yield f"head_node_type: {did_you_mean('node type', str(config.get('head_node_type')), types)}"


def _check_nodes(config: Config) -> Generator[str]:
    for text in sorted({match[0] for match in map(EXAMPLE_VALUES.search, iter_strings(config)) if match}):
        yield f"{text} is an example value: edit the lines marked EDIT"
    provider = config["provider"]
    if provider["type"] == "local" and "worker_ips" in provider:
        machines = [provider["head_ip"], *provider["worker_ips"]]
        for repeated in sorted({machine for machine in machines if machines.count(machine) > 1}):
            yield f"provider: {repeated} is named twice: the head is not a worker, and each worker is named once"
        for key in ("min_workers", "max_workers"):
            if config.get(key, 0) > len(provider["worker_ips"]):
                yield f"{key} is {config[key]}, but {len(provider['worker_ips'])} worker_ips are listed"
        if config.get("max_workers", 0) < config.get("min_workers", 0):
            yield f"max_workers is {config.get('max_workers', 0)}, which is less than min_workers"
    for role, needed in (("head", "--autoscaling-config"), ("worker", "$RAY_HEAD_IP")):
        starts = "\n".join(config.get(f"{role}_start_ray_commands") or [needed])
        if needed not in starts:
            yield f"{role}_start_ray_commands: no `ray start` there has {needed}, so no worker could join"


def _check_versions(config: Config) -> Generator[str]:
    ours, pythons = version("ray"), set()
    for text in iter_strings(config):
        for image in re.findall(r"rayproject/ray\S*", text):
            pinned = re.fullmatch(r"rayproject/ray(?:-ml)?:([\d.]+)-py(\d+)\S*", image)
            if pinned is None:
                yield f"docker: image {image} does not pin Ray and Python: write rayproject/ray:{ours}-py311-gpu"
            elif pinned[1] != ours:
                yield f"docker: image {image} has Ray {pinned[1]}, and this machine has {ours}: they must be equal"
            pythons |= {pinned[2]} if pinned else set()
        if "pip install" in text:
            for extras, pin in re.findall(r"(?<![\w.-])ray(\[[\w,]*\])?((?:==[\d.]+)?)(?=[\s\"']|$)", text):
                if pin != f"=={ours}":
                    yield f"setup_commands: {'ray' + extras + pin}, and this machine has Ray {ours}: pin ray=={ours}"
    if len(pythons) > 1:
        yield f"docker: the images have different Pythons ({', '.join(sorted(pythons))}): Ray needs one on all nodes"


def _check_results(config: Config) -> Generator[str]:
    results = (config.get("metadata") or {}).get("results")
    if not isinstance(results, str):
        yield "metadata.results is missing: name the folder that all nodes share, such as /mnt/gensweep"
    elif not is_url(results) and (not results.startswith("/") or results.startswith(NOT_SHARED)):
        yield f"metadata.results {results}: it must be the absolute path of a folder that all nodes share, or s3://..."


def _check_sweep(config: Config, options: Options) -> Generator[str]:
    """Yield why the nodes cannot run the trials of a sweep, or why its study would not be safe."""
    results = str((config.get("metadata") or {}).get("results"))
    if options.storage is not None and options.storage.startswith("sqlite"):
        yield f"storage {options.storage}: {SQLITE_ON_SHARED}"
    is_default = options.results in (".", Options._field_defaults["results"])
    if not is_default and not is_url(options.results) and not Path(options.results).is_relative_to(results):
        yield f"results {options.results} is not in {results}, which the nodes share: leave --results out"
    kinds = {name: kind["resources"] for name, kind in (config.get("available_node_types") or {}).items()}
    for name, per_trial in (("CPU", options.cpus_per_trial), ("GPU", options.gpus_per_trial)):
        most = max((kind.get(name, 0) for kind in kinds.values()), default=0)
        if kinds and per_trial is not None and per_trial > most:
            yield f"{name.lower()}s-per-trial {per_trial:g}: no node has more than {most} {name}s ({', '.join(kinds)})"

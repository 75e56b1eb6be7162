"""Read and write extractor weights: a safetensors file for each, with identity and origin in the header.

Header: `id` (first 12 hex digits of the sha256 of the tensors' names and bytes), `accuracy` on the test split, `data`
and `fingerprint` of the data set, `arch` and `recipe` as JSON, and the `command` that trained it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from trainables.filestore import replace_local_file

SHIPPED = Path(__file__).parent / "weights"


class Trained(NamedTuple):
    """The weights of an extractor, and how it was made."""

    weights: dict[str, NDArray[np.float32]]
    arch: dict[str, Any]
    accuracy: float  # on the test split, 0..1
    data: str  # name of the data set
    fingerprint: str
    recipe: dict[str, Any]
    command: str

    @property
    def id(self) -> str:
        """The first 12 hex digits of the sha256 of the tensors, in the order of their names."""
        digest = hashlib.sha256()
        for name in sorted(self.weights):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(self.weights[name]).tobytes())
        return digest.hexdigest()[:12]


def write(trained: Trained, path: Path) -> None:
    """Write an extractor to `path` as a whole, and make the folder if needed."""
    header = {
        "id": trained.id,
        "accuracy": repr(trained.accuracy),
        "data": trained.data,
        "fingerprint": trained.fingerprint,
        "arch": json.dumps(trained.arch),
        "recipe": json.dumps(trained.recipe),
        "command": trained.command,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_local_file(path, save(trained.weights, metadata=header))


def read(path: Path) -> Trained:
    """Return the extractor of a file that `write` made.

    Raise ValueError, with one line of text, if the file is broken or its weights do not match its id.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata()
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (safe_open is not a mapping)
        trained = Trained(
            weights=weights,
            arch=json.loads(header["arch"]),
            accuracy=float(header["accuracy"]),
            data=header["data"],
            fingerprint=header["fingerprint"],
            recipe=json.loads(header["recipe"]),
            command=header["command"],
        )
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no extractor: {error}") from error
    if trained.id != header["id"]:
        raise ValueError(f"{path} is damaged: its weights hash to {trained.id}, its header says {header['id']}")
    return trained

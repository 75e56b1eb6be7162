"""Read the weights of a trial's best evaluated epoch. They are tensors and texts only, so nothing is ever unpickled."""

from __future__ import annotations

import json

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor

from analysis.read import results
from analysis.read.results import Sweep
from trainables.errors import UserError


def read_weights(sweep: Sweep, number: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of `best.safetensors`, and its header; raise UserError if the file is missing or damaged."""
    name = f"{results.trial_folder(number)}/best.safetensors"
    try:
        content = sweep.place.read(name)
        size = int.from_bytes(content[:8], "little")
        return load_tensors(content), json.loads(content[8 : 8 + size]).get("__metadata__", {})
    except FileNotFoundError as error:
        raise UserError(f"trial {number} of {sweep.place.name!r} has no weights: {name} is missing") from error
    except (SafetensorError, ValueError) as error:
        raise UserError(f"{name} of {sweep.place.name!r} is damaged: {error}") from error

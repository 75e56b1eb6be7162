"""An exported model with a loop of its own, ready to draw: the folder that `gensweep export` writes, loaded again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from trainables.data.dataset import without_images
from trainables.engine.state import Data
from trainables.errors import UserError
from trainables.user_model.code_folder import CodeFolder, unzipped
from trainables.user_model.evaluate import UserGenerator
from trainables.user_model.model import Facts, UserModel
from trainables.user_model.model_file import read_model_file
from trainables.user_model.train import rebuild

CONFIG, WEIGHTS, CODE = "config.json", "model.safetensors", "code.zip"


class ExportedModel:
    """A trained model: `sample(n)` draws images, `about` is the content of config.json."""

    def __init__(self, generator: UserGenerator, about: Mapping[str, Any]) -> None:
        self.about = about
        self._generator = generator
        self._shape = tuple(about["data"]["shape"])
        self._classes = [str(name) for name in about["data"]["classes"]]

    def sample(self, n: int, label: str | int | None = None, seed: int = 0) -> Tensor:
        """Return n images, float [n, C, H, W] in 0..1, the same for the same seed.

        `label` is a class, by name or number; without it the classes of a conditional model take turns. Raise UserError
        if the model has no sampler, or no such class.
        """
        if self._generator.sampler is None:
            raise UserError("train() of this model names no sampler: it cannot draw images")
        batches = self._generator.draw(self._labels(n, label), self._shape, seed, "exported")
        return torch.cat([x.cpu() for x, _ in batches])

    def _labels(self, n: int, label: str | int | None) -> Tensor:
        if label is None:
            return torch.arange(n) % max(1, len(self._classes))
        if not self._generator.takes_labels:
            raise UserError("label: the sampler of this model takes no labels")
        if str(label) in self._classes:
            label = self._classes.index(str(label))
        if not isinstance(label, int) or not 0 <= label < len(self._classes):
            raise UserError(f"label {label!r}: the classes are {', '.join(self._classes)}")
        return torch.full((n,), label)


def load_export(path: str) -> ExportedModel:
    """Return the model in a folder that `gensweep export` wrote for a model with a loop of its own.

    This executes the model file in the folder. Raise UserError if the folder holds no such model.
    """
    folder = Path(path).expanduser()
    try:
        about = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is not a mapping
            header = file.metadata() or {}
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a folder of gensweep export: {error}") from error
    if about.get("file") is None:
        raise UserError(f"{path} needs torch alone; in that folder: from model import load; load()")
    code = (folder / CODE).read_bytes() if (folder / CODE).exists() else None
    text = read_model_file(str(folder / about["file"]))
    if code is not None:
        unzipped(code)  # refuse what is not a zip of texts
        text = text._replace(code=CodeFolder(str(folder / CODE), code))
    model = UserModel(about["model"], Facts(), text)
    data = without_images(about["data"]["name"], about["data"]["classes"], about["data"]["shape"])
    values = json.loads(header.get("kept", "{}"))
    return ExportedModel(
        rebuild(model, about["config"], Data(data.to("cpu")), about["seed"] or 0, weights, values), about
    )

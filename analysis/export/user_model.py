"""Export a user's model with a loop of its own: the weights of what it keeps, its file, and the modules with it.

Only `train` knows how to build its nets, so the folder needs gensweep, which calls it up to its epochs loop.
"""

from __future__ import annotations

from torch import Tensor

from analysis.export.model_card import Net
from analysis.figures import sample_grids
from analysis.nets.weights import read_weights
from analysis.read.results import Sweep
from trainables.user_model.exported import CODE
from trainables.user_model.model import UserModel

NEEDS = "gensweep (`pip install gensweep`), which executes the model file in this folder"


def file_names(model: UserModel) -> tuple[str, ...]:
    """Return the names of the files that hold its code."""
    return (model.code.file_name, *(() if model.code.code is None else (CODE,)))


def files(model: UserModel) -> dict[str, bytes]:
    """Return the user's file, and the modules that travel with it, by file name."""
    contents = {model.code.file_name: model.code.text.encode()}
    return contents if model.code.code is None else {**contents, CODE: model.code.code.zipped}


def weights_of(net: Net) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of the kept objects at the best epoch, and what else their file's header keeps."""
    weights, header = read_weights(net.sweep, net.number)
    return weights, {"kept": header.get("kept", "{}")}


def use(search: Sweep, model: UserModel) -> list[str]:
    """Return the lines of Python that load the model and use it."""
    shape = ", ".join(map(str, search.manifest.data.shape))
    lines = ["import gensweep as gs", 'model = gs.load_export(".")']
    if not sample_grids.draws_pictures(search):
        return lines
    label = ', label="name of a class"' if model.conditional else ""
    return [*lines, f"images = model.sample(64{label})  # float [64, {shape}] in [0, 1]"]

"""Export the winner as a folder that needs nothing else.

The folder holds the weights, a Python file that generates images from them, the configuration, and a model card. Of a
user's model with a loop of its own the file is the user's, and the folder needs gensweep. The card says where the net
comes from, how good it is, and what kind of score that is.

If the sweep was finalized, the net is one of those trainings: of the pick's fresh seeds, the one with the best score on
`val`. Its score on `test` had no part in the choice, so it is not biased. If not, the net is the winner of the search,
whose score is optimistic.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from analysis.base.templates import load_template
from analysis.export import model_card, torch_source, user_model
from analysis.export.model_card import Net
from analysis.figures import sample_grids
from analysis.nets import rebuild
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep import final_results, ranking
from trainables import filestore
from trainables.errors import UserError
from trainables.metrics import keys
from trainables.user_model.model import UserModel

SOURCE = "model.py"
FILES = (SOURCE, "model.safetensors", "config.json", "README.md", "samples.png")
NEEDS = "torch and safetensors, and nothing else"
CHECK_IMAGES = 16  # images by which the written file is compared with the net


def write(directory: str, out: str | None, trial: int | None, further: dict[str, str]) -> tuple[str, list[str]]:
    """Write the folder, with the texts of `further` by file name.

    Return its path, and the lines of Python that load the net and use it.

    Raises:
        UserError: the sweep, a winner or the trial does not exist; the nets cannot be written; the folder holds other
            files.
    """
    search = results.load(directory)
    model = search.manifest.trainable
    code_files = user_model.file_names(model) if isinstance(model, UserModel) else (SOURCE,)
    target = filestore.open_directory(out if out is not None else f"{search.place.name.rstrip('/')}/export")
    there = set(target.names(""))
    if there - {*FILES, *code_files, *further, "__pycache__"} or (there and "model.safetensors" not in there):
        raise UserError(f"{target.name} holds other things: name an empty folder with -o")
    net = choose_net(search, trial)
    about = export_metadata(search, net)
    about["file"] = model.code.file_name if isinstance(model, UserModel) else None
    if isinstance(model, UserModel):
        code, (weights, header) = user_model.files(model), user_model.weights_of(net)
        use, needs = user_model.use(search, model), user_model.NEEDS
    else:
        source, weights = _source(search, net)
        code, header, use, needs = {SOURCE: source.encode()}, {}, _use(search, net), NEEDS
    context = model_card.card_context(search, net, about) | {"use": use, "needs": needs}
    header |= {"config": json.dumps(about["config"]), "model": about["model"]}
    pictured = sample_grids.draws_pictures(search)
    page = load_template("card.md").render(about | context | ({} if pictured else {"pictured": ""}))
    files = {
        **code,
        "model.safetensors": save(weights, header),
        "config.json": (json.dumps(about, indent=1) + "\n").encode(),
        "README.md": page.encode(),
        **({"samples.png": _picture(net)} if pictured else {}),
    }
    for name, content in (files | {name: text.encode() for name, text in further.items()}).items():
        target.write(name, content)
    return target.name, use


def choose_net(search: Sweep, trial: int | None) -> Net:
    """Return the training to export: `trial` if it is given, else the finalized pick, else the winner of the search."""
    proof = final_results.load(search)
    if trial is not None:
        return Net(search, ranking.trial_or_winner(search, trial), trial)
    if proof is None:
        number = ranking.winner(search)
        return Net(search, number, number)
    number = proof.pick.number
    k = int(np.nanargmin(search.sign * proof.pick.val))
    trained = results.load(f"{search.place.name.rstrip('/')}/final/trial-{number:04d}")
    return Net(trained, k, number, proof.pick.seeds[k]["test"], proof)


def export_metadata(search: Sweep, net: Net) -> dict[str, Any]:
    """Return the content of config.json."""
    trial, manifest = results.read_trial(net.sweep, net.number), search.manifest
    if trial.best is None:
        raise UserError(
            f"trial {net.number} of {net.sweep.place.name!r} was never evaluated: there is nothing to export"
        )
    numbers = {key for key, about in keys().items() if not about.many}
    return {
        "model": manifest.model,
        "config": trial.config,
        "trial": net.trial,
        "seed": trial.seed,
        "epoch": trial.best["epoch"],
        "data": {"name": manifest.dataset, **manifest.data._asdict()},
        "objective": manifest.goal.primary._asdict(),
        "val": {key: value for key, value in trial.best.items() if key in numbers},
        "test": None if net.test is None else {key: value for key, value in net.test.items() if key in numbers},
        "stamp": manifest.stamp,
        "test_stamp": None if net.proof is None else net.proof.content["test_stamp"],
        "versions": manifest.versions,
        "commit": manifest.commit,
    }


def _source(search: Sweep, net: Net) -> tuple[str, dict[str, Tensor]]:
    """Return model.py and its weights, after comparing them with the net."""
    model, manifest = search.manifest.engine_model, search.manifest
    nets, shape = rebuild.load_nets(net.sweep, net.number), manifest.data.shape
    y = torch.arange(CHECK_IMAGES) % max(1, len(manifest.data.classes))
    if model_card.draws_from_noise(search, net):
        assert model.sample is not None
        run: torch_source.Pass = model.sample
        x = rebuild.sample_noise(net.sweep, net.number, CHECK_IMAGES, 0, "export")
    else:
        reconstruct = model.reconstruct
        assert reconstruct is not None, f"{model.name} neither samples nor reconstructs"

        def run(nets: Any, x: Tensor, y: Tensor) -> Tensor:
            return reconstruct(nets, x)

        x = torch.rand(CHECK_IMAGES, *shape, generator=torch.Generator().manual_seed(0))
    traced = torch_source.trace_to_source(nets, run)
    source = load_template("model.py.txt").render(
        net=traced,
        shapes=_shapes(search, net),
        title=model_card.card_title(search, net),
        about=model_card.describe_net(search, net),
        version=manifest.versions["gensweep"],
        classes=[str(name) for name in manifest.data.classes],
        conditional=len(traced.inputs) > 1,
        z_shape=list(x.shape[1:]) if model_card.draws_from_noise(search, net) else [],
        shape=shape,
    )
    with torch.no_grad():
        torch_source.check_source(source, traced.weights, [x, y][: len(traced.inputs)], run(nets, x, y))
    return source, traced.weights


def _shapes(search: Sweep, net: Net) -> str:
    """Return a sentence on the inputs and outputs of the net in the file."""
    image = ", ".join(map(str, search.manifest.data.shape))
    if not model_card.draws_from_noise(search, net):
        return f"Images [n, {image}] in [0, 1] -> images [n, {image}] in [0, 1]"
    z_shape = ", ".join(map(str, rebuild.sample_noise(net.sweep, net.number, 1, 0, "export").shape[1:]))
    labels = ", class numbers y [n]" if search.manifest.trainable.conditional else ""
    return f"Normal noise [n, {z_shape}]{labels} -> images [n, {image}] in [0, 1]"


def _use(search: Sweep, net: Net) -> list[str]:
    """Return the lines of Python that load the net and use it."""
    shape = ", ".join(map(str, search.manifest.data.shape))
    last = f"images = net.sample(64)  # float [64, {shape}] in [0, 1]"
    if not model_card.draws_from_noise(search, net):
        last = f"images = net.rebuild(images)  # float [n, {shape}] in [0, 1]"
    return ["from model import load", "net = load()", last]


def _picture(net: Net) -> bytes:
    """Return the saved images of the net's best epoch as PNG."""
    trial = results.read_trial(net.sweep, net.number)
    assert trial.best is not None
    return sample_grids.saved_sheet(net.sweep, net.number, trial.best["epoch"])

"""Extractors with weights from the user's disk: nets of torchvision, Inception among them, and DINOv2.

The last linear layer of the net is dropped, and what enters it are the features; DINOv2 has no such layer (dinov2.py).
Images are scaled to the side that the net was trained on, and normalised as it expects. A state_dict is read with
`weights_only`, or as safetensors.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from trainables.errors import UserError, did_you_mean
from trainables.extractor_choice import ExtractorChoice
from trainables.metrics import dinov2
from trainables.metrics.extractor import Extractor, Scores
from trainables.metrics.state_dicts import differences

CHUNK = 32  # images at once: they are large by then
MEAN, SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, which torchvision's nets expect
FID_CLASSES = 1008  # of the Inception of the original FID; torchvision's has 1000
Weights = dict[str, Tensor]


class Pretrained(Extractor):
    """The net of `arch`: `net`, its number of classes `outputs`, `features`, and `n_classes` of the head of ours.

    DINOv2 has no classes, but perhaps `registers`."""

    def __init__(self, arch: Mapping[str, Any]) -> None:
        """Build the net without weights."""
        super().__init__()
        is_inception = arch["net"] == "inception"
        self.side = 299 if is_inception else 224
        mean, sd = ((0.5,) * 3, (0.5,) * 3) if is_inception else (MEAN, SD)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("sd", torch.tensor(sd).view(3, 1, 1), persistent=False)
        if arch["net"] == "dinov2":
            self.body = dinov2.build_net(arch["features"], arch["registers"])
        else:
            self.body, _ = without_last_layer(build_net(arch["net"], arch["outputs"]))
        self.head = nn.Linear(arch["features"], arch["n_classes"])

    def forward(self, x: Tensor) -> Scores:
        features = torch.cat([self._features(part) for part in torch.split(x, CHUNK)])
        return Scores(features, self.head(features))

    def _features(self, x: Tensor) -> Tensor:
        rgb = x[:, :3] if x.shape[1] >= 3 else x[:, :1].expand(-1, 3, -1, -1)
        size = (self.side, self.side)
        large = nn.functional.interpolate(rgb, size, mode="bilinear", align_corners=False, antialias=True)
        features: Tensor = self.body((large - self.get_buffer("mean")) / self.get_buffer("sd"))
        return features.flatten(1)


def build_net(name: str, outputs: int) -> nn.Module:
    """Return a net of torchvision with random weights, and `outputs` classes."""
    from torchvision import models

    with torch.random.fork_rng(devices=[]):
        if name != "inception":
            net: nn.Module = models.get_model(name, weights=None, num_classes=outputs)
            return net
        net = models.inception_v3(weights=None, num_classes=outputs, aux_logits=False, init_weights=False)
    return with_pools_of_fid(net) if outputs == FID_CLASSES else net


def without_last_layer(net: nn.Module) -> tuple[nn.Module, nn.Linear]:
    """Return the net with its last linear layer replaced by the identity, and that layer."""
    name, last = next((name, m) for name, m in reversed(list(net.named_modules())) if isinstance(m, nn.Linear))
    parent, _, child = name.rpartition(".")
    setattr(net.get_submodule(parent), child, nn.Identity())
    return net, last


def with_pools_of_fid(net: nn.Module) -> nn.Module:
    """Return torchvision's Inception with the pools of TensorFlow's, for which the weights of the original FID are.

    Their averages leave out the padding, and the last block takes maxima (Seitzer, pytorch-fid, inception.py).
    """

    def without_padding(_: nn.Module, inputs: tuple[Tensor]) -> Tensor:
        share = nn.functional.avg_pool2d(torch.ones_like(inputs[0]), 3, 1, 1)
        return inputs[0] / share

    blocks = ("5b", "5c", "5d", "6b", "6c", "6d", "6e", "7b")
    for block in blocks:
        net.get_submodule(f"Mixed_{block}.branch_pool").register_forward_pre_hook(without_padding)
    entered: list[Tensor] = []
    last = net.get_submodule("Mixed_7c")
    last.register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0]))
    last.get_submodule("branch_pool").register_forward_pre_hook(
        lambda _, inputs: nn.functional.max_pool2d(entered.pop(), 3, 1, 1)
    )
    return net


def load_pretrained(choice: ExtractorChoice) -> tuple[Weights, dict[str, Any]]:
    """Return the weights of the body and the arch (without `n_classes`) of a chosen extractor.

    Raises:
        UserError: the net is unknown, or the file is not a state_dict of it.
    """
    state = read_state_dict(choice)
    if choice.net == "dinov2":
        return dinov2.load(choice, state)
    net = named_net(choice, state)
    fitted = {key: value for key, value in state.items() if not key.startswith("AuxLogits.")}
    wrong = differences(net.state_dict(), fitted)
    if wrong:
        raise UserError(f"{choice.path} is not a state_dict of {choice.net}: {wrong}")
    net.load_state_dict(fitted)
    outputs = _outputs(net)
    body, last = without_last_layer(net)
    weights = {f"body.{key}": value for key, value in body.state_dict().items()}
    return weights, {"net": choice.net, "outputs": outputs, "features": last.in_features, "planes": 1}


def named_net(choice: ExtractorChoice, state: Weights) -> nn.Module:
    """Return the net of a choice, with as many classes as the weights have; raise UserError for an unknown net."""
    from torchvision import models

    known = models.list_models(module=models)
    if choice.net != "inception" and choice.net not in known:
        raise UserError(did_you_mean("net of torchvision", choice.net, known))
    if choice.net in ("inception_v3", "googlenet"):
        raise UserError(f"extractor {choice.text!r}: for Inception v3 write inception:FILE")
    plain = build_net(choice.net, 1000)
    linear = [name for name, module in plain.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise UserError(f"extractor {choice.text!r}: {choice.net} has no linear layer whose input would be features")
    head = state.get(f"{linear[-1]}.weight")
    return plain if head is None or len(head) == 1000 else build_net(choice.net, len(head))


def read_state_dict(choice: ExtractorChoice) -> Weights:
    """Return the tensors of a file by name; nothing in it is executed.

    Raises:
        UserError: the file holds something else.
    """
    path = Path(choice.path)
    try:
        if path.suffix == ".safetensors":
            content: Any = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, SafetensorError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, pickle.UnpicklingError):
            reason = "it is neither a zip file nor a pickle of tensors"
            if "global" in str(error).lower():
                raise UserError(
                    f"{path} holds pickled objects, which would be executed, and not a state_dict: "
                    "save it again as torch.save(net.state_dict(), FILE)"
                ) from None
        raise UserError(f"{path} is not a file of weights that can be read: {reason}") from None
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"{path} holds no state_dict: a mapping from names to tensors is needed")
    return {str(key).removeprefix("module."): value for key, value in content.items()}


def _outputs(net: nn.Module) -> int:
    return [module for module in net.modules() if isinstance(module, nn.Linear)][-1].out_features

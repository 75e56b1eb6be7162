"""A trained net as a Python file of its own: what a user needs who has torch and not gensweep.

The net is traced by `torch.fx`, which writes down the layers that a forward pass calls and the operations between them;
of those the file is made, layer by layer, and the weights get the file's names. So a model says nothing about how it is
exported, and only what the pass needs comes along (no encoder for samples, no discriminator). Before anything is
written the file is run beside the net that it was made of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.fx import Graph, Tracer

from trainables.errors import UserError

CANNOT_WRITE = "these nets cannot be written as a file of their own"
Pass = Callable[[Mapping[str, nn.Module], Tensor, Tensor], Tensor]


class TracedNet(NamedTuple):
    """`layers` are the lines of `__init__`, `steps` those of `forward`, whose arguments are `inputs`; `weights` are the
    tensors by the names that the layers have."""

    inputs: tuple[str, ...]
    layers: list[str]
    steps: list[str]
    weights: dict[str, Tensor]


class _PassModule(nn.Module):
    """A pass through several nets as one module: x [n, ...], y [n]."""

    def __init__(self, nets: Mapping[str, nn.Module], run: Pass) -> None:
        super().__init__()
        self.nets, self.run = nn.ModuleDict(nets), run

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.run(self.nets, x, y)  # type: ignore[arg-type]  # a ModuleDict reads like the mapping it was made of


def trace_to_source(nets: Mapping[str, nn.Module], run: Pass) -> TracedNet:
    """The pass `run(nets, x, y)` of nets in eval mode, traced; y is no input where the pass does not look at it.

    Raises:
        UserError: what torch.fx cannot trace, or a layer that torch does not have.
    """
    module = _PassModule(nets, run).eval()
    tracer = Tracer()
    tracer.proxy_buffer_attributes = True
    try:
        graph = tracer.trace(module)
    except (TypeError, ValueError, RuntimeError, torch.fx.proxy.TraceError) as error:
        raise UserError(f"{CANNOT_WRITE}: {str(error).splitlines()[0]}") from error
    for node in graph.nodes:
        if node.op == "placeholder" and not node.users:
            graph.erase_node(node)
    layers, weights = _layers_and_weights(graph, module)
    inputs = tuple(node.target for node in graph.nodes if node.op == "placeholder")
    return TracedNet(inputs, layers, _forward_lines(graph), weights)


def _layers_and_weights(graph: Graph, module: nn.Module) -> tuple[list[str], dict[str, Tensor]]:
    """Gives what a graph calls and reads names without dots; the definitions of it, and the weights."""
    layers: dict[str, str] = {}
    weights: dict[str, Tensor] = {}
    for node in graph.nodes:
        if node.op not in ("call_module", "get_attr"):
            continue
        path = str(node.target)
        node.target = name = path.removeprefix("nets.").replace(".", "_")
        if node.op == "get_attr":
            tensor = module.get_parameter(path) if path in dict(module.named_parameters()) else module.get_buffer(path)
            layers[name] = f'self.register_buffer("{name}", torch.empty({tuple(tensor.shape)}, dtype={tensor.dtype}))'
            weights[name] = tensor
            continue
        layer = module.get_submodule(path)
        call = repr(layer).replace(", bias=True", "")  # as it is anyhow: of batch norm, an older torch does not know it
        if not type(layer).__module__.startswith("torch.nn.") or "\n" in call:
            raise UserError(f"{CANNOT_WRITE}: {type(layer).__name__} is no plain layer")
        layers[name] = f"self.{name} = nn.{call}"
        weights |= {f"{name}.{key}": value for key, value in layer.state_dict().items()}
    return list(layers.values()), {name: value.detach().contiguous() for name, value in weights.items()}


def _forward_lines(graph: Graph) -> list[str]:
    """The body of `forward`, without the lines' ends by which torch.fx lets go of what is no longer read."""
    _, _, body = graph.python_code("self").src.partition("def forward(")
    body = re.sub(r";  (\w+ = )+None$", "", body, flags=re.MULTILINE)
    body = re.sub(r"\btorch\._C\._(\w+)\.\1_", r"torch.\1.", body)  # torch.special and its like by their public names
    body = re.sub(r"\bnets_", "", body)
    return [line.strip() for line in body.splitlines()[1:] if line.strip()]


def check_source(source: str, weights: Mapping[str, Tensor], inputs: list[Tensor], expected: Tensor) -> None:
    """Runs the written file on the inputs.

    Raises:
        UserError: it does not give what is expected.
    """
    space: dict[str, Any] = {"__name__": "exported", "__file__": "model.py"}
    try:
        exec(compile(source, "model.py", "exec"), space)
        net: nn.Module = space["Net"]()
        net.load_state_dict(dict(weights))
        with torch.no_grad():
            output = net.eval()(*inputs)
    except (NameError, RuntimeError, TypeError) as error:  # a function of the model's own, a layer of unusual arguments
        raise UserError(f"{CANNOT_WRITE}: {str(error).splitlines()[0]}") from error
    if output.shape != expected.shape or not torch.allclose(output, expected, atol=1e-5):
        raise UserError(f"{CANNOT_WRITE}: it draws other images than they do")

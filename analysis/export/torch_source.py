"""Write a trained net as a Python file that needs torch but not gensweep.

`torch.fx` traces the net: it records the layers that a forward pass calls and the operations between them. The file is
written from this record, and the weights are renamed to match. So a model needs no code for its export, and the file
holds only what the pass uses (for samples neither encoder nor discriminator). The file is run and compared with the net
before anything is written.
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
    """The source of a traced net.

    `layers` are the lines of `__init__`, `steps` those of `forward`, and `inputs` its arguments. `weights` are the
    tensors by the names of these layers.
    """

    inputs: tuple[str, ...]
    layers: list[str]
    steps: list[str]
    weights: dict[str, Tensor]


class _PassModule(nn.Module):
    """Run a pass through several nets as one module: x [n, ...], y [n]."""

    def __init__(self, nets: Mapping[str, nn.Module], run: Pass) -> None:
        super().__init__()
        self.nets, self.run = nn.ModuleDict(nets), run

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.run(self.nets, x, y)  # type: ignore[arg-type]  # a ModuleDict reads like the mapping it was made of


def trace_to_source(nets: Mapping[str, nn.Module], run: Pass) -> TracedNet:
    """Trace the pass `run(nets, x, y)` of nets in eval mode. If the pass does not use y, y is not an input.

    Raises:
        UserError: torch.fx cannot trace the pass, or a layer is not one of torch.
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
    """Rename what a graph uses to names without dots. Return the lines that define it, and the weights."""
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
        call = repr(layer).replace(", bias=True", "")  # the default; batch norm in an older torch does not know it
        if not type(layer).__module__.startswith("torch.nn.") or "\n" in call:
            raise UserError(f"{CANNOT_WRITE}: {type(layer).__name__} is not a plain layer")
        layers[name] = f"self.{name} = nn.{call}"
        weights |= {f"{name}.{key}": value for key, value in layer.state_dict().items()}
    return list(layers.values()), {name: value.detach().contiguous() for name, value in weights.items()}


def _forward_lines(graph: Graph) -> list[str]:
    """Return the body of `forward`, without the `x = None` by which torch.fx frees what is not used again."""
    _, _, body = graph.python_code("self").src.partition("def forward(")
    body = re.sub(r";  (\w+ = )+None$", "", body, flags=re.MULTILINE)
    body = re.sub(
        r"\btorch\._C\._(\w+)\.\1_", r"torch.\1.", body
    )  # functions such as torch.special.* by their public names
    body = re.sub(r"\bnets_", "", body)
    return [line.strip() for line in body.splitlines()[1:] if line.strip()]


def check_source(source: str, weights: Mapping[str, Tensor], inputs: list[Tensor], expected: Tensor) -> None:
    """Run the written file on the inputs and compare its output.

    Raises:
        UserError: the file does not run, or its output is not `expected`.
    """
    space: dict[str, Any] = {"__name__": "exported", "__file__": "model.py"}
    try:
        exec(compile(source, "model.py", "exec"), space)
        net: nn.Module = space["Net"]()
        net.load_state_dict(dict(weights))
        with torch.no_grad():
            output = net.eval()(*inputs)
    except (
        NameError,
        RuntimeError,
        TypeError,
    ) as error:  # a function that the model defines, a layer with unusual arguments
        raise UserError(f"{CANNOT_WRITE}: {str(error).splitlines()[0]}") from error
    if output.shape != expected.shape or not torch.allclose(output, expected, atol=1e-5):
        raise UserError(f"{CANNOT_WRITE}: it draws other images than they do")

"""How many bytes a trial keeps on the disk, from its own nets and optimisers and not from a guess."""

import io
from typing import NamedTuple

import torch

from trainables.config_schema import Config
from trainables.engine.interface import Model
from trainables.engine.state import Data, sampling_nets, snapshot, start


class Size(NamedTuple):
    """Bytes of one checkpoint, and of the best weights."""

    checkpoint: int
    best: int


def size(model: Model, config: Config, data: Data) -> Size:
    """What a trial of this configuration writes each time; trains nothing.

    Raises:
        UserError: a configuration that cannot run on these images.
    """
    run = start(model, config, data, 0)
    for mover in run.movers:
        for parameter in mover.parameters:
            parameter.grad = torch.zeros_like(parameter)
        mover.optimiser.step()  # the moments are made at the first step
    buffer = io.BytesIO()
    torch.save(snapshot(run, {}), buffer)
    states = (net.state_dict() for net in sampling_nets(run).values())
    return Size(buffer.tell(), sum(value.nbytes for state in states for value in state.values()))

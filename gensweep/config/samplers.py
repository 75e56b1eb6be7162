"""The names of the samplers and what has to be known of them before Optuna is loaded.

`search/optuna_samplers.py` has a function of the same name for each. To add a sampler, write that function and its line
here.
"""

from typing import NamedTuple


class SamplerTraits(NamedTuple):
    """What a sampler can do."""

    single_objective: bool = False  # takes one objective and no constraints
    one_sequence: bool = False  # its points belong together: a new seed for each trial would tear them apart


SAMPLERS: dict[str, SamplerTraits] = {
    "tpe": SamplerTraits(),
    "gp": SamplerTraits(),
    "cmaes": SamplerTraits(single_objective=True),
    "nsgaii": SamplerTraits(),
    "qmc": SamplerTraits(one_sequence=True),
    "random": SamplerTraits(),
    "grid": SamplerTraits(one_sequence=True),
}

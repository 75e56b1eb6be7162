"""Conditional GAN: the GAN's space, objective and defaults, and how the labels enter.

Labels have embeddings of 10 numbers, as in many published CGANs; one as long as the code draws one image a class (table
in docs/defaults.md). D gets them as 10 constant image channels, or beside the pixels if it has no convolutions.
"""

from search_spaces import gan
from search_spaces.gan import DEFAULTS, OBJECTIVE
from search_spaces.space import Config, Role, Trial, fixed

__all__ = ["DEFAULTS", "OBJECTIVE", "ROLES", "space"]

ROLES: dict[str, Role] = {**gan.ROLES, "label_dim": "nuisance", "d_cond": "scientific"}


def space(trial: Trial) -> Config:
    config = gan.space(trial)
    return {
        **config,
        "label_dim": fixed(trial, "label_dim", 10),
        "d_cond": fixed(trial, "d_cond", "channels" if config["net"] == "conv" else "concat"),
    }

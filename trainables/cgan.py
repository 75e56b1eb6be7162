"""Conditional GAN: generator and discriminator both get the label (Mirza & Osindero 2014, arXiv:1411.1784, eq. 2).

Everything but the nets is the GAN's; fakes get the labels of the batch's real images. ``label_dim`` and ``d_cond`` say
how the labels enter.
"""

from torch import nn

from trainables import gan
from trainables.config_schema import Config
from trainables.engine.interface import Shape
from trainables.errors import UserError


def nets(config: Config, shape: Shape, n_classes: int) -> dict[str, nn.Module]:
    """Return the generator g and the discriminator d, with an embedding of the labels in each."""
    return {"g": gan.Generator(config, shape, n_classes), "d": gan.Discriminator(config, shape, n_classes)}


def check(config: Config) -> None:
    """Raise UserError if the configuration cannot be trained: as a GAN, or because its D cannot take labels so."""
    gan.check(config)
    net, cond = config["net"], config["d_cond"]
    if (net == "conv" and cond == "concat") or (net != "conv" and cond == "channels"):
        right = "channels" if net == "conv" else "concat"
        raise UserError(f"d_cond={cond} with net={net}: use d_cond={right} or d_cond=projection")


KEYS = (*gan.KEYS, "label_dim", "d_cond")
MODEL = gan.MODEL._replace(name="cgan", keys=KEYS, nets=nets, conditional=True, check=check, doc=__doc__)

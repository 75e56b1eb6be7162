"""Conditional GAN: generator and discriminator both get the label (Mirza & Osindero 2014, arXiv:1411.1784, eq. 2).

Everything but the nets is the GAN's; fakes get the labels of the batch's real images.
"""

from torch import nn

from trainables import gan
from trainables.config_schema import Config
from trainables.engine.interface import Shape


def nets(config: Config, shape: Shape, n_classes: int) -> dict[str, nn.Module]:
    """Return the generator g and the discriminator d, with an embedding of the labels in each."""
    return {"g": gan.Generator(config, shape, n_classes), "d": gan.Discriminator(config, shape, n_classes)}


MODEL = gan.MODEL._replace(name="cgan", nets=nets, conditional=True, doc=__doc__)

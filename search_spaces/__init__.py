"""What may vary: a space a model, each with its objective, the defaults and the reason for each key.

Imports nothing of ours but the exception for a user's mistake and the table of GAN losses, no torch and no Ray, so that
a space can be read, tested and sampled by itself.
"""

from search_spaces import ae, cgan, cvae, dae, gan, vae
from search_spaces.space import Space

__all__ = ["SPACES", "Space"]

SPACES: dict[str, Space] = {
    "ae": Space(ae.space, ae.OBJECTIVE, ae.DEFAULTS, ae.ROLES),
    "dae": Space(dae.space, dae.OBJECTIVE, dae.DEFAULTS, dae.ROLES),
    "vae": Space(vae.space, vae.OBJECTIVE, vae.DEFAULTS, vae.ROLES),
    "cvae": Space(cvae.space, cvae.OBJECTIVE, cvae.DEFAULTS, cvae.ROLES),
    "gan": Space(gan.space, gan.OBJECTIVE, gan.DEFAULTS, gan.ROLES),
    "cgan": Space(cgan.space, cgan.OBJECTIVE, cgan.DEFAULTS, cgan.ROLES),
}

"""Fixed questions, a file each. To add one, write its file and its line here; `gensweep study NAME` runs it."""

from search_spaces.studies import (
    ae_latent,
    cgan,
    dae_corruption,
    defaults,
    gan_schemes,
    searched_enough,
    vae_epochs,
    vae_fashion,
    vae_or_cgan,
)
from search_spaces.studies.types import Arm, Claim, Study

__all__ = ["STUDIES", "Arm", "Claim", "Study"]

STUDIES: dict[str, Study] = {
    "defaults": defaults.STUDY,
    "dae-corruption": dae_corruption.STUDY,
    "ae-latent": ae_latent.STUDY,
    "vae-epochs": vae_epochs.STUDY,
    "vae-fashion": vae_fashion.STUDY,
    "gan-schemes": gan_schemes.STUDY,
    "cgan": cgan.STUDY,
    "vae-or-cgan": vae_or_cgan.STUDY,
    "searched-enough": searched_enough.STUDY,
}

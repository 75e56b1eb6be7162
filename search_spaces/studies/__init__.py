"""Fixed questions, a file each. To add one, write its file and its line here; `gensweep study NAME` runs it."""

from search_spaces.studies import (
    ae_latent,
    baselines,
    dae_corruption,
    defaults,
    gan_report,
    searched_enough,
    vae_or_cgan,
    vae_report,
)
from search_spaces.studies.types import Arm, Claim, Study

__all__ = ["STUDIES", "Arm", "Claim", "Study"]

STUDIES: dict[str, Study] = {
    "defaults": defaults.STUDY,
    "baselines": baselines.STUDY,
    "dae-corruption": dae_corruption.STUDY,
    "ae-latent": ae_latent.STUDY,
    "vae-report": vae_report.STUDY,
    "gan-report": gan_report.STUDY,
    "vae-or-cgan": vae_or_cgan.STUDY,
    "searched-enough": searched_enough.STUDY,
}

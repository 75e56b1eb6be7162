"""Fixed questions, a file each. To add one, write its file and its line here; `gensweep study NAME` runs it."""

from search_spaces.studies import dae_corruption, vae_epochs
from search_spaces.studies.question import Arm, Claim, Study

__all__ = ["STUDIES", "Arm", "Claim", "Study"]

STUDIES: dict[str, Study] = {
    "dae-corruption": dae_corruption.STUDY,
    "vae-epochs": vae_epochs.STUDY,
}

"""`gensweep study searched-enough`: did the report not search well enough, or was it the net? About 10 core-hours.

Each GAN is searched at equal budget, in the report's net and in the default net of gensweep, with a random search as
its control; what a search picks is trained again from fresh seeds beside the report's own settings. A GAN that is not
searched in the default net is the other half of the answer. The VAE of the report is searched too.
"""

from typing import Any

from search_spaces.studies import vae_report
from search_spaces.studies.gan_report import COURSE, SHOES
from search_spaces.studies.types import Arm, Claim, Study

TRIALS, EPOCHS, DATA = 24, 13, "fashion_mnist"  # 11,167 updates of 64 images
NETS = ("net", "width", "out", "d_dropout", "latent_dim", "batch_size", "g_steps")
NET = {key: COURSE[key] for key in NETS}  # what a search in the report's net holds
BETA1 = {**COURSE, "beta1": 0.5}
LABELS = {"label_dim": 10, "d_cond": "concat"}
VAE = {key: value for key, value in vae_report.POINT.items() if key != "lr"}


def _hand(note: str, model: str, config: Any) -> Arm:
    return Arm(note, model, DATA, config, EPOCHS)


def _searched(note: str, model: str, config: Any, start: Any) -> Arm:
    return Arm(note, model, DATA, config, EPOCHS, search={}, trials=TRIALS, control=True, start=start)


def _start(config: Any, held: Any) -> dict[str, Any]:
    """Return a point as trial 0 of a search; what the search holds fixed is set already."""
    return {key: value for key, value in config.items() if key not in held}


def _gap(better: str, worse: str, says: str, sentence: str = "") -> Claim:
    return Claim(says, better, "lower", "test_fid", worse, sentence)


STUDY = Study(
    title="A search, a sound net, or both",
    question="What does a search bring in the report's net, what does a sound net bring without one, and what do both?",
    arms={
        "gan-report": _hand("the report's best GAN: beta1 of 0.5", "gan", BETA1),
        "gan-searched": _searched("what a search picks in the report's net", "gan", NET, _start(BETA1, NET)),
        "gan-net": _hand("the default net, not searched", "gan", {}),
        "gan-both": _searched("what a search picks in the default net", "gan", {}, {}),
        "cgan-report": _hand("the report's conditional GAN", "cgan", {**BETA1, **LABELS}),
        "cgan-net": _hand("the default conditional net, not searched", "cgan", {}),
        "vae-report": _hand("the report's VAE at this length: batches of 128, rate 5e-4", "vae", vae_report.POINT),
        "vae-searched": _searched("what a search picks in the report's VAE", "vae", VAE, {"lr": 5e-4}),
    },
    claims=(
        _gap("gan-searched", "gan-report", "a search helps in the report's net",
             "maybe this is an issue of not searching the parameter space well enough"),
        _gap("gan-net", "gan-report", "a sound net helps without a search"),
        _gap("gan-both", "gan-net", "a search helps in a sound net"),
        _gap("gan-net", "gan-searched", "a sound net brings more than a search in the report's net"),
        _gap("gan-both", "vae-searched", "GANs should win: net and search together, the GAN comes before the VAE",
             "GANs should give better images than VAEs"),
        _gap("vae-searched", "vae-report", "a search helps the VAE"),
    ),
    table=("test_fid", "fid", "modes", "precision", "recall", "duplicates", SHOES),
    pictures={
        "budget:trials": (),
        "budget:seconds": (),
        "grid": (),
        "shares": (),
    },
    every=13,
    train_images=55_000,
    scope=(
        "Half the length of the report's trainings: 13 epochs of 55,000 images, 11,167 updates for a GAN. The arms set "
        "by hand have the settings of gan-report and vae-report, where it says what of the report's is known. Batch "
        "sizes are held, so equal epochs are equal numbers of updates. The search of the VAE varies its rate and what "
        "else its default space holds; its net and batches are the report's."
    ),
)  # fmt: skip

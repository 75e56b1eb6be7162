"""`gensweep study vae-or-cgan`: the report preferred the VAE. Their trainings are those of vae-fashion and of cgan, so
after these two it takes no time."""

from search_spaces.studies.gan_schemes import SHOES
from search_spaces.studies.question import Arm, Claim, Study

STUDY = Study(
    title="VAE or conditional GAN?",
    question="Is the conditional GAN blurrier than the VAE, and which of the two is better?",
    arms={
        "vae": Arm("the VAE at the report's best point, thirty epochs of 5,000 images", of="vae-fashion/report"),
        "cgan": Arm("the conditional GAN, ten epochs of 10,000 images; its sharpness over 1 is noise", of="cgan/cgan"),
    },
    claims=(
        Claim("the CGAN is \"blurrier than the VAE\"", "cgan", "lower", "sharpness", "vae", True),
        Claim("the VAE's samples are better", "vae", "lower", "fid", "cgan", True),
        Claim("the VAE draws the classes more evenly", "vae", "higher", "modes", "cgan"),
        Claim("the VAE's samples lie among real images more often", "vae", "higher", "precision", "cgan"),
        Claim("the VAE's samples cover more of the real images", "vae", "higher", "recall", "cgan"),
    ),
    table=("fid", "sharpness", "modes", "precision", "recall", "accuracy", SHOES),
    pictures={
        "grid": (),
        "epochs": ("vae", "cgan"),
        "shares": (),
        "confusion": ("cgan",),
        "bands:sharpness": ("vae", "cgan"),
    },
    every=10,
    train_images=10_000,
)  # fmt: skip

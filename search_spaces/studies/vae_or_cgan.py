"""`gensweep study vae-or-cgan`: one VAE and one conditional GAN side by side. Their trainings are those of vae-fashion
and of cgan, so after these two it takes no time."""

from search_spaces.studies.gan_schemes import SHOES
from search_spaces.studies.types import Arm, Claim, Study

STUDY = Study(
    title="VAE or conditional GAN?",
    question="Are the samples of the conditional GAN blurrier than those of the VAE, and which are better?",
    arms={
        "vae": Arm("the hand-set VAE of vae-fashion, thirty epochs of 5,000 images", same_as="vae-fashion/report"),
        "cgan": Arm(
            "the conditional GAN, ten epochs of 10,000 images; its sharpness over 1 is noise", same_as="cgan/cgan"
        ),
    },
    claims=(
        Claim("the CGAN's samples are blurrier than the VAE's", "cgan", "lower", "sharpness", "vae"),
        Claim("the VAE's samples are better", "vae", "lower", "fid", "cgan"),
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
    scope=(
        "The report compares reconstructions of its VAE with samples of its CGAN; this study compares samples with "
        "samples, of our own small nets at unequal lengths. Sharpness is edge energy, so noise counts as sharp: the "
        "CGAN's 2.4 is noise and not clarity. It does not test the report's preference for the VAE."
    ),
)  # fmt: skip

"""`gensweep study vae-or-cgan`: the report's best VAE and its conditional GAN side by side. Their trainings are those
of vae-report and of gan-report, so after these two it takes no time."""

from search_spaces.studies.gan_report import SHOES
from search_spaces.studies.types import Arm, Claim, Study

STUDY = Study(
    title="The report's VAE or its conditional GAN?",
    question="Are the samples of the conditional GAN blurrier than the VAE's reconstructions, and than its samples?",
    arms={
        "vae": Arm("the report's VAE: 30 epochs, batches of 128, rate 5e-4", same_as="vae-report/epochs-50",
                   at_epoch=30),
        "cgan": Arm("the report's conditional GAN: beta1 of 0.5, 26 epochs", same_as="gan-report/cgan"),
        "cdcgan": Arm("the defaults of cgan, 26 epochs", same_as="gan-report/cdcgan"),
    },
    claims=(
        Claim("the CGAN's samples are blurrier than the VAE's reconstructions", "cgan", "lower",
              "sharpness", "vae", "the CGAN is much blurrier than the best VAE", against_statistic="recon_sharpness"),
        Claim("the CGAN's edges are stronger than those of the VAE's reconstructions", "cgan", "higher",
              "sharpness", "vae", "clearer edge separations", against_statistic="recon_sharpness"),
        Claim("the CGAN's samples are blurrier than the VAE's samples", "cgan", "lower", "sharpness", "vae"),
        Claim("the VAE's samples lie among real images more often", "vae", "higher", "precision", "cgan"),
        Claim("the VAE's samples have the lower FID", "vae", "lower", "fid", "cgan",
              "prefers the VAE (judged by eye)"),
        Claim("the VAE's samples have a lower FID than those of the default cgan", "vae", "lower", "fid", "cdcgan"),
    ),
    table=("fid", "sharpness", "recon_sharpness", "modes", "precision", "recall", "accuracy", SHOES),
    pictures={"grid": (), "rebuilt": (), "shares": (), "confusion": ("cgan", "cdcgan")},
    every=10,
    train_images=55_000,
    scope=(
        "The report compares reconstructions of its VAE with samples of its CGAN; so do the first two claims, which "
        "are opposites: the report says both. Sharpness is edge energy over that of real images, so noise counts as "
        "sharp: a CGAN above 1 is noisy and not clear. FID, precision and the last claims are of samples."
    ),
)  # fmt: skip

"""`gensweep study baselines`: how good the defaults of `gan` and `cgan` are, at full length. About ten core-hours."""

from search_spaces.studies.types import Arm, Claim, Study

EPOCHS = 20


def _arm(note: str, model: str, dataset: str) -> Arm:
    return Arm(note, model, dataset, {}, EPOCHS)


STUDY = Study(
    title="The defaults of GAN and CGAN at full length",
    question="Do the defaults draw every class and many images of each?",
    arms={
        "gan-mnist": _arm("gan on MNIST", "gan", "mnist"),
        "gan-fashion": _arm("gan on Fashion-MNIST", "gan", "fashion_mnist"),
        "cgan-mnist": _arm("cgan on MNIST", "cgan", "mnist"),
        "cgan-fashion": _arm("cgan on Fashion-MNIST", "cgan", "fashion_mnist"),
    },
    claims=(
        Claim("gan draws every digit: 9.5 effective modes", "gan-mnist", "higher", "modes", 9.5),
        Claim("cgan hardly ever draws an image twice (MNIST)", "cgan-mnist", "lower", "duplicates", 0.05),
        Claim("cgan hardly ever draws an image twice (Fashion)", "cgan-fashion", "lower", "duplicates", 0.05),
        Claim("cgan draws what it is asked for (MNIST)", "cgan-mnist", "higher", "accuracy", 0.9),
        Claim("cgan draws what it is asked for (Fashion)", "cgan-fashion", "higher", "accuracy", 0.9),
        Claim("cgan covers more of the real images than gan (MNIST)", "cgan-mnist", "higher", "recall", "gan-mnist"),
        Claim("cgan covers more of the real images than gan (Fashion)", "cgan-fashion", "higher", "recall",
              "gan-fashion"),
    ),
    table=("fid", "fid_raw", "modes", "duplicates", "recall", "precision", "accuracy"),
    pictures={"grid": (), "epochs": (), "shares": (), "confusion": ("cgan-mnist", "cgan-fashion")},
    every=10,
    scope=(
        "Nothing is searched. The claims are what a sound baseline must reach before a search is worth its name; they "
        "are not of the report."
    ),
)  # fmt: skip

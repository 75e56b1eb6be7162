"""`gensweep study cgan`: the best arm of gan-schemes, made conditional. About 2 minutes on two cores after gan-schemes,
whose trainings it looks at."""

from search_spaces.studies.gan_schemes import BASE, SHOES
from search_spaces.studies.types import Arm, Claim, Study

STUDY = Study(
    title="The best arm of gan-schemes made conditional",
    question="Does telling the nets the class give every class its share, and does the generator obey?",
    arms={
        "gan": Arm("the best arm of gan-schemes: two updates of G for one of D", same_as="gan-schemes/g-twice"),
        "cgan": Arm("the same, its nets told the class", "cgan", "fashion_mnist", {**BASE, "g_steps": 2}, epochs=10),
    },
    claims=(
        Claim("its class shares come nearer to those of the data", "cgan", "lower", "kl_prior", "gan"),
        Claim("it draws more of the classes", "cgan", "higher", "modes", "gan"),
        Claim("it draws more shoes than the GAN", "cgan", "higher", SHOES, "gan"),
        Claim("its samples are better", "cgan", "lower", "fid", "gan"),
        Claim("it draws what it is asked for, nine times in ten", "cgan", "higher", "accuracy", 0.9),
    ),
    table=("fid", "modes", "kl_prior", "accuracy", "recall", "precision", SHOES),
    pictures={"grid": (), "epochs": (), "shares": (), "confusion": ("cgan",), "bands:fid": ()},
    every=5,
    train_images=10_000,
    scope=(
        "The report made its best GAN conditional, one with another beta1. This study makes the arm with two updates "
        "of G conditional, in our own small nets and for 1,560 updates, so it does not test the report. Class shares "
        "and shoes say how well labels are followed; variety within a class is a question of its own, and recall is "
        "close to 0 in both arms."
    ),
)  # fmt: skip

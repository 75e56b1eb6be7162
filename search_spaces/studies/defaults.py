"""`gensweep study defaults`: candidates for the defaults of `gan` and `cgan`, on Fashion-MNIST. About two
core-hours. It has no claims: the defaults are chosen from its table (docs/defaults.md)."""

from typing import Any

from search_spaces.studies.types import Arm, Study

EPOCHS = 3


def _arm(note: str, model: str, width: int, **change: Any) -> Arm:
    return Arm(note, model, "fashion_mnist", {"width": width, **change}, epochs=EPOCHS)


def _cgan(note: str, label_dim: int, d_cond: str, d_norm: str) -> Arm:
    return _arm(note, "cgan", 16, label_dim=label_dim, d_cond=d_cond, d_norm=d_norm)


STUDY = Study(
    title="Candidates for the defaults of GAN and CGAN",
    question="Which width, which norm in D and which use of the labels should be the defaults?",
    arms={
        "w16-none": _arm("width 16, no norm in D", "gan", 16, d_norm="none"),
        "w16-batch": _arm("width 16, batch norm in D", "gan", 16, d_norm="batch"),
        "w32-none": _arm("width 32, no norm in D", "gan", 32, d_norm="none"),
        "w32-batch": _arm("width 32, batch norm in D", "gan", 32, d_norm="batch"),
        "short-channels": _cgan("labels of 10 numbers, channels, batch norm", 10, "channels", "batch"),
        "long-projection": _cgan("labels as long as the code, projection", 100, "projection", "none"),
        "long-channels": _cgan("labels as long as the code, channels, batch norm", 100, "channels", "batch"),
        "short-channels-none": _cgan("labels of 10 numbers, channels, no norm", 10, "channels", "none"),
        "short-projection": _cgan("labels of 10 numbers, projection", 10, "projection", "none"),
        "short-projection-spectral": _cgan("the same, spectral norm", 10, "projection", "spectral"),
        "w64-batch": _arm("width 64, batch norm in D", "gan", 64, d_norm="batch"),
    },
    claims=(),
    table=("fid", "fid_raw", "modes", "duplicates", "recall", "precision", "accuracy"),
    pictures={"grid": ()},
    every=EPOCHS,
    seeds=4,
    scope=(
        "A choice and not a test: 4 seeds, 3 epochs (2,577 updates), a seventh of the defaults' length. `fid` is of "
        "the averaged weights, `fid_raw` of the weights themselves, so that the table shows both settings of `ema`."
    ),
)

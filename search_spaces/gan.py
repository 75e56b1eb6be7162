"""GAN. Objective: FID.

The defaults are DCGAN's (Radford et al. 2015, arXiv:1511.06434, §4, and the PyTorch example of it): Adam at 2e-4 with
beta1 0.5, batches of 64, codes of 100, batch norm in both nets, one update of each net a step. Ours are the width (32
channels, half of theirs; table in docs/defaults.md), the average of the weights (ema) and the 20 epochs.

Rates are searched up to the wide range of Lucic et al. 2018 (arXiv:1711.10337), from 1e-5, where the best discriminator
rates of Heusel et al. 2017 (arXiv:1706.08500) for DCGAN are. The norm of D is searched as there, and 1, 2 or 5 updates
of D for one of G. The batch size is fixed: at fixed epochs a search for it is one for the number of updates. To search
it at equal updates: `--set batch_size=32,64,128 --set steps_per_epoch=859`.

Two losses of the five are searched, and no penalty or packing: Lucic et al. found none that wins at equal budget,
and a dozen trials cannot tell them apart beside ten other keys. Which training is better is the question of a study
(`gensweep study gan-report`) or of a sweep for each. Where their papers start:

    WGAN-GP   --set scheme=wasserstein --set penalty=gp --set d_steps=5 --set beta1=0 --set beta2=0.9
    WGAN      --set scheme=wasserstein --set penalty=clip --set d_steps=5
    SN-GAN    --set scheme=hinge --set d_norm=spectral --set d_steps=1,5 --set beta1=0 --set beta2=0.9
    DRAGAN    --set penalty=dragan --set d_steps=1
    R1        --set penalty=r1 --set d_steps=1
    PacGAN    --set pack=2

A penalty on D's gradient goes without batch norm in D, so it changes the default of `d_norm` to none. The range of
`penalty_weight` is that of Lucic et al., a tenth to a hundred; of `clip`, a thousandth to one.
"""

from search_spaces.space import Config, Objective, Role, Trial, fixed
from trainables.penalties import PENALTIES
from trainables.schemes import SCHEMES

OBJECTIVE: Objective = ("fid", "min")
DEFAULTS: Config = {
    "scheme": "non_saturating",
    "d_steps": 1,
    "g_steps": 1,
    "lr_g": 2e-4,
    "lr_d": 2e-4,
    "beta1": 0.5,
    "batch_size": 64,
    "latent_dim": 100,
    "ema": 0.999,
    "label_smoothing": 0.0,
    "penalty": "none",
    "penalty_weight": 10.0,
    "clip": 0.01,
    "d_norm": "batch",
    "pack": 1,
}
_SCIENTIFIC = ("scheme", "penalty", "d_norm", "pack", "d_steps", "g_steps", "d_dropout", "out")
_NUISANCE = ("lr_g", "lr_d", "beta1", "batch_size", "latent_dim", "ema", "label_smoothing", "penalty_weight", "clip")
_FIXED = ("epochs", "steps_per_epoch", "lr_decay", "net", "width", "beta2", "precision")
ROLES: dict[str, Role] = {
    **dict.fromkeys(_SCIENTIFIC, "scientific"),
    **dict.fromkeys(_NUISANCE, "nuisance"),
    **dict.fromkeys(_FIXED, "fixed"),
}
NO_TARGETS = tuple(name for name, scheme in SCHEMES.items() if not scheme.targets)  # nothing to smooth
GRADIENT = tuple(name for name, penalty in PENALTIES.items() if penalty.term is not None)
NORMS = ("batch", "none", "spectral")
WIDTHS = {"mlp": 256, "pyramid": 256, "conv": 32}


def space(trial: Trial) -> Config:
    net = fixed(trial, "net", "conv")
    penalty = fixed(trial, "penalty", "none")
    config: Config = {
        # scientific
        "scheme": trial.suggest_categorical("scheme", ("non_saturating", "minimax")),
        "d_steps": trial.suggest_categorical("d_steps", (1, 2, 5)),
        "g_steps": fixed(trial, "g_steps", 1),
        "penalty": penalty,
        "d_norm": fixed(trial, "d_norm", "none") if penalty in GRADIENT else trial.suggest_categorical("d_norm", NORMS),
        "pack": fixed(trial, "pack", 1),
        "d_dropout": fixed(trial, "d_dropout", 0.0),
        "out": fixed(trial, "out", "sigmoid"),
        # nuisance
        "lr_g": trial.suggest_float("lr_g", 1e-5, 5e-3, log=True),
        "lr_d": trial.suggest_float("lr_d", 1e-5, 5e-3, log=True),
        "beta1": trial.suggest_float("beta1", 0.0, 0.9),
        "batch_size": fixed(trial, "batch_size", 64),
        "latent_dim": trial.suggest_categorical("latent_dim", (64, 100, 128)),
        "ema": trial.suggest_categorical("ema", (0.0, 0.99, 0.999)),
        # fixed
        "net": net,
        "width": fixed(trial, "width", WIDTHS[net]),
        "epochs": fixed(trial, "epochs", 20),
        "steps_per_epoch": fixed(trial, "steps_per_epoch", 0),
        "lr_decay": fixed(trial, "lr_decay", 0.0),
        "beta2": fixed(trial, "beta2", 0.999),
        "precision": fixed(trial, "precision", "fp32"),
    }
    if config["scheme"] not in NO_TARGETS:
        config["label_smoothing"] = trial.suggest_categorical("label_smoothing", (0.0, 0.1))
    if penalty == "clip":
        config["clip"] = trial.suggest_float("clip", 1e-3, 1.0, log=True)
    elif penalty != "none":
        config["penalty_weight"] = trial.suggest_float("penalty_weight", 0.1, 100.0, log=True)
    return config

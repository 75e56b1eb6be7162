"""GAN. Objective: FID. The defaults have DCGAN's optimiser (Radford et al. 2015, §4: Adam at 2e-4 with beta1 0.5);
the nets are ours: smaller, and without batch norm in D.

Rates are searched between the narrow and the wide range of Lucic et al. 2018 (arXiv:1711.10337); the wide one is
`--set lr_g=1e-5:1e-2:log --set lr_d=1e-5:1e-2:log`.

Two losses of the five are searched, and no penalty, norm or packing: Lucic et al. found none that wins at equal budget,
and a dozen trials cannot tell them apart beside ten other keys. Which training is better is the question of a study
(`gensweep study gan-schemes`) or of a sweep for each. Where their papers start:

    WGAN-GP   --set scheme=wasserstein --set penalty=gp --set d_steps=5 --set beta1=0 --set beta2=0.9
    WGAN      --set scheme=wasserstein --set penalty=clip --set d_steps=5
    SN-GAN    --set scheme=hinge --set d_norm=spectral --set d_steps=1,5 --set beta1=0 --set beta2=0.9
    DRAGAN    --set penalty=dragan --set d_steps=1
    R1        --set penalty=r1 --set d_steps=1
    PacGAN    --set pack=2

The range of `penalty_weight` is theirs in the same study, a tenth to a hundred; of `clip`, a thousandth to one.
"""

from search_spaces.space import Config, Objective, Role, Trial, fixed
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
    "latent_dim": 64,
    "ema": 0.0,
    "label_smoothing": 0.0,
    "penalty": "none",
    "penalty_weight": 10.0,
    "clip": 0.01,
    "d_norm": "none",
    "pack": 1,
}
_NUISANCE = ("lr_g", "lr_d", "beta1", "batch_size", "latent_dim", "ema", "label_smoothing", "penalty_weight", "clip")
ROLES: dict[str, Role] = {
    **dict.fromkeys(("scheme", "penalty", "d_norm", "pack", "d_steps", "g_steps"), "scientific"),
    **dict.fromkeys(_NUISANCE, "nuisance"),
    **dict.fromkeys(("epochs", "net", "width", "beta2", "precision"), "fixed"),
}
NO_TARGETS = tuple(name for name, scheme in SCHEMES.items() if not scheme.targets)  # nothing to smooth


def space(trial: Trial) -> Config:
    net = fixed(trial, "net", "conv")
    config: Config = {
        # scientific
        "scheme": trial.suggest_categorical("scheme", ("non_saturating", "minimax")),
        "d_steps": trial.suggest_int("d_steps", 1, 2),
        "g_steps": trial.suggest_int("g_steps", 1, 2),
        "penalty": fixed(trial, "penalty", "none"),
        "d_norm": fixed(trial, "d_norm", "none"),
        "pack": fixed(trial, "pack", 1),
        # nuisance
        "lr_g": trial.suggest_float("lr_g", 5e-5, 5e-3, log=True),
        "lr_d": trial.suggest_float("lr_d", 5e-5, 5e-3, log=True),
        "beta1": trial.suggest_float("beta1", 0.0, 0.9),
        "batch_size": trial.suggest_categorical("batch_size", (64, 128, 256)),
        "latent_dim": trial.suggest_categorical("latent_dim", (16, 32, 64, 128)),
        "ema": trial.suggest_categorical("ema", (0.0, 0.99, 0.999)),
        # fixed
        "net": net,
        "width": fixed(trial, "width", 256 if net == "mlp" else 16),
        "epochs": fixed(trial, "epochs", 10),
        "beta2": fixed(trial, "beta2", 0.999),
        "precision": fixed(trial, "precision", "fp32"),
    }
    if config["scheme"] not in NO_TARGETS:
        config["label_smoothing"] = trial.suggest_categorical("label_smoothing", (0.0, 0.1))
    if config["penalty"] == "clip":
        config["clip"] = trial.suggest_float("clip", 1e-3, 1.0, log=True)
    elif config["penalty"] != "none":
        config["penalty_weight"] = trial.suggest_float("penalty_weight", 0.1, 100.0, log=True)
    return config

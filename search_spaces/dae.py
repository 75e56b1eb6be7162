"""Denoising autoencoder. Objective: error against the clean image at three fixed noise levels, so that the searched
corruption changes what a trial learns and not what its score means. Default corruption: N(0, 0.1^2).

The judged noise is Gaussian, so of the two others only masking is searched; all three are
`--set corruption=gaussian,masking,salt_and_pepper`."""

from search_spaces import ae
from search_spaces.space import Config, Objective, Role, Trial, fixed

OBJECTIVE: Objective = ("recon_mse", "min")
DEFAULTS: Config = {**ae.DEFAULTS, "latent_dim": 32, "corruption": "gaussian", "sigma": 0.1}
ROLES: dict[str, Role] = {**ae.ROLES, "corruption": "scientific", "sigma": "scientific", "latent_dim": "nuisance"}


def space(trial: Trial) -> Config:
    return {
        # scientific
        "corruption": trial.suggest_categorical("corruption", ("gaussian", "masking")),
        "sigma": trial.suggest_float("sigma", 0.05, 0.5),
        # nuisance
        "latent_dim": trial.suggest_categorical("latent_dim", (16, 32, 64)),
        "lr": trial.suggest_float("lr", 1e-4, 5e-3, log=True),
        "batch_size": trial.suggest_categorical("batch_size", (64, 128, 256)),
        **ae.body(trial),
        "gmm": fixed(trial, "gmm", 0),
    }

"""Autoencoder. Objective: mean squared error of held-out images, which no searched key redefines.

`gensweep run ae --dataset fashion_mnist`: the larger code wins; pin `--set latent_dim=2` to ask what two numbers hold.
`--set gmm=10` lets each trial sample from ten Gaussians on its codes and scores the samples too: some seconds.
"""

from search_spaces.space import Config, Objective, Role, Trial, fixed

OBJECTIVE: Objective = ("recon_mse", "min")
DEFAULTS: Config = {"latent_dim": 16, "lr": 1e-3, "batch_size": 128, "width": 256}
SHARED: dict[str, Role] = {  # with the VAE
    "latent_dim": "scientific",
    "lr": "nuisance",
    "batch_size": "nuisance",
    "width": "nuisance",
    **dict.fromkeys(("epochs", "steps_per_epoch", "lr_decay", "net", "beta1", "beta2", "precision"), "fixed"),
}
ROLES: dict[str, Role] = {**SHARED, "gmm": "fixed"}


def space(trial: Trial) -> Config:
    return {
        # scientific
        "latent_dim": trial.suggest_categorical("latent_dim", (2, 8, 16, 32, 64)),
        # nuisance
        "lr": trial.suggest_float("lr", 1e-4, 5e-3, log=True),
        "batch_size": trial.suggest_categorical("batch_size", (64, 128, 256)),
        **body(trial),
        "gmm": fixed(trial, "gmm", 0),
    }


def body(trial: Trial) -> Config:
    """The nets and Adam, as the three autoencoders share them."""
    net = fixed(trial, "net", "mlp")
    widths = (8, 32) if net == "conv" else (128, 512)
    return {
        "width": trial.suggest_int("width", *widths, log=True),
        "net": net,
        "epochs": fixed(trial, "epochs", 10),
        "steps_per_epoch": fixed(trial, "steps_per_epoch", 0),
        "lr_decay": fixed(trial, "lr_decay", 0.0),
        "beta1": fixed(trial, "beta1", 0.9),
        "beta2": fixed(trial, "beta2", 0.999),
        "precision": fixed(trial, "precision", "fp32"),
    }

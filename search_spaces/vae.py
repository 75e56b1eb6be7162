"""Variational autoencoder. Objective: FID of prior samples, because the bound in nats changes its meaning with beta
and with the likelihood. The likelihood alone moves the FID of a VAE threefold (Dai & Wipf 2019, table 1).

The defaults are those of the PyTorch example of a VAE: one hidden layer of 400, codes of 20, Bernoulli likelihood, Adam
at 1e-3, batches of 128, 10 epochs.

Left to the user: a learned sigma (`--set likelihood=bernoulli,gaussian,gaussian_learned`), since the searched sigma
holds its solution; KL warm-up and free bits (`--set warmup=0:5`, `--set free_bits=0,0.1`), cures for dying codes."""

from search_spaces import ae
from search_spaces.space import Config, Objective, Role, Trial, fixed

OBJECTIVE: Objective = ("fid", "min")
DEFAULTS: Config = {
    "lr": 1e-3,
    "batch_size": 128,
    "latent_dim": 20,
    "width": 400,
    "beta": 1.0,
    "warmup": 0.0,
    "free_bits": 0.0,
    "likelihood": "bernoulli",
}
ROLES: dict[str, Role] = {
    **ae.SHARED,
    **dict.fromkeys(("likelihood", "sigma", "beta", "warmup", "free_bits"), "scientific"),
    "latent_dim": "nuisance",
}


def space(trial: Trial) -> Config:
    config: Config = {
        # scientific
        "likelihood": trial.suggest_categorical("likelihood", ("bernoulli", "gaussian")),
        "beta": trial.suggest_float("beta", 0.1, 10.0, log=True),
        # nuisance
        "latent_dim": trial.suggest_int("latent_dim", 8, 64, log=True),
        "lr": trial.suggest_float("lr", 1e-5, 1e-2, log=True),
        "batch_size": trial.suggest_categorical("batch_size", (64, 128, 256)),
        **ae.body(trial),
        "warmup": fixed(trial, "warmup", 0.0),
        "free_bits": fixed(trial, "free_bits", 0.0),
    }
    if config["likelihood"] == "gaussian":
        config["sigma"] = trial.suggest_float("sigma", 0.05, 0.5, log=True)
    return config

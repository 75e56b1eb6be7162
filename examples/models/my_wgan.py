"""WGAN-LP: a one-sided penalty, and a drift term that holds the critic near 0 (Petzka et al. 2018, arXiv:1709.08894).

gensweep run my_wgan.py --dataset mnist
"""

import torch
from torch import nn

import gensweep as gs

OBJECTIVE = ("fid", "min")


def space(trial):
    return {
        "lr_g": trial.suggest_float("lr_g", 2e-5, 1e-3, log=True),
        "lr_d": trial.suggest_float("lr_d", 2e-5, 1e-3, log=True),
        "lp_weight": trial.suggest_float("lp_weight", 1.0, 100.0, log=True),
        "d_steps": trial.suggest_int("d_steps", 1, 5),
        "drift": trial.suggest_categorical("drift", [0.0, 1e-3]),
        "ema": 0.999,
        "beta1": 0.0,
        "beta2": 0.9,
        "latent_dim": 64,
        "width": 32,
        "batch_size": 64,
        "epochs": 20,
    }


def nets(config, shape, n_classes):
    c, h, w, f = shape[0], shape[1] // 4, shape[2] // 4, config["width"]
    g = nn.Sequential(
        nn.Linear(config["latent_dim"], 2 * f * h * w),
        nn.Unflatten(1, (2 * f, h, w)),
        nn.GroupNorm(8, 2 * f),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * f, f, 4, 2, 1),
        nn.GroupNorm(8, f),
        nn.ReLU(),
        nn.ConvTranspose2d(f, c, 4, 2, 1),
        nn.Sigmoid(),
    )
    d = nn.Sequential(
        nn.Conv2d(c, f, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(f, 2 * f, 4, 2, 1),
        nn.GroupNorm(1, 2 * f),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(2 * f * h * w, 1),
        nn.Flatten(0),
    )
    return {"g": g, "d": d}


def d_loss(nets, batch, noise, hp):  # pure: noise comes in, hp are 0-d tensors
    fake = nets["g"](noise["z"])
    real_out, fake_out = nets["d"](batch.x), nets["d"](fake)
    between = noise["mix"] * batch.x + (1 - noise["mix"]) * fake
    slope = torch.func.grad(lambda x: nets["d"](x).sum())(between).flatten(1).norm(dim=1)
    penalty = hp["lp_weight"] * (slope - 1).clamp(min=0).square().mean() + hp["drift"] * real_out.square().mean()
    gap = real_out.mean() - fake_out.mean()
    return penalty - gap, {"gap": gap.detach(), "slope": slope.mean().detach()}


def g_loss(nets, batch, noise, hp):
    return -nets["d"](nets["g"](noise["z"])).mean(), {}


def turns(config, shape):
    z = {"z": gs.Draw("normal", (config["latent_dim"],))}
    return (
        gs.Turn(
            "d",
            ("d",),
            lr="lr_d",
            times=config["d_steps"],
            noise={**z, "mix": gs.Draw("uniform", (1, 1, 1))},
            loss=d_loss,
        ),
        gs.Turn("g", ("g",), lr="lr_g", times=1, noise=z, loss=g_loss),
    )


MODEL = gs.Model(nets=nets, turns=turns, sample=lambda nets, z, y: nets["g"](z), averaged="g")

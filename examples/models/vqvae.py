"""A VQ-VAE whose codebook is a running mean of the codes (van den Oord et al. 2017, arXiv:1711.00937).

gensweep run vqvae.py --dataset mnist
"""

import torch
from torch import nn
from torch.nn.functional import mse_loss, one_hot

import gensweep as gs

OBJECTIVE = ("recon_mse", "min")
DEFAULTS = {"lr": 1e-3, "commitment": 0.25, "n_codes": 64}


def space(trial):
    return {
        "lr": trial.suggest_float("lr", 1e-4, 1e-2, log=True),
        "commitment": trial.suggest_float("commitment", 0.05, 2.0, log=True),
        "n_codes": trial.suggest_categorical("n_codes", [32, 64, 128]),
        "code_decay": 0.95,
        "code_dim": 16,
        "width": 32,
        "batch_size": 128,
        "epochs": 4,
    }


class Coder(nn.Module):
    """Images [B, C, H, W] -> vectors [B, D, H/4, W/4]. It also holds the codebook, which no gradient moves."""

    def __init__(self, channels, width, dim, n_codes):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(width, width, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(width, dim, 1),
        )
        self.register_buffer("codes", torch.randn(n_codes, dim))
        self.register_buffer("counts", torch.ones(n_codes))
        self.register_buffer("sums", self.codes.clone())

    def forward(self, x):
        return self.body(x), self.codes


def nets(config, shape, n_classes):
    c, width, dim = shape[0], config["width"], config["code_dim"]
    decoder = nn.Sequential(
        nn.ConvTranspose2d(dim, width, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(width, c, 4, 2, 1), nn.Sigmoid()
    )
    return {"coder": Coder(c, width, dim, config["n_codes"]), "decoder": decoder}


def nearest(vectors, codes):
    """Vectors [B, D, h, w] -> the numbers of their nearest codes [B, h, w]."""
    flat = vectors.permute(0, 2, 3, 1)
    distance = codes.square().sum(1) - 2 * flat @ codes.T
    return distance.argmin(-1)


def quantize(vectors, codes):
    return codes[nearest(vectors, codes)].permute(0, 3, 1, 2)


def loss(nets, batch, noise, hp):
    vectors, codes = nets["coder"](batch.x)
    near = quantize(vectors, codes)
    through = vectors + (near - vectors).detach()  # its gradient is that of the vectors
    pixels = mse_loss(nets["decoder"](through), batch.x)
    return pixels + hp["commitment"] * mse_loss(vectors, near), {"pixels": pixels.detach()}


def after(weights, buffers, hp, batch, noise, nets):
    if "codes" not in buffers:  # the decoder
        return {}
    vectors, codes = nets["coder"](batch.x)
    chosen = one_hot(nearest(vectors, codes).flatten(), len(codes)).to(vectors.dtype)  # [B h w, K]
    counts = buffers["counts"].lerp(chosen.sum(0), 1 - hp["code_decay"])
    sums = buffers["sums"].lerp(chosen.T @ vectors.permute(0, 2, 3, 1).flatten(0, 2), 1 - hp["code_decay"])
    return {"counts": counts, "sums": sums, "codes": sums / counts.clamp(min=1e-3)[:, None]}


def turns(config, shape):
    return (gs.Turn("", ("coder", "decoder"), lr="lr", loss=loss, after=after, schedule=gs.warmup(0.05, gs.cosine)),)


def reconstruct(nets, x):
    return nets["decoder"](quantize(*nets["coder"](x)))


def measure(config, shape):
    def errors(nets, batch, noise, hp):
        return {"recon_mse": (reconstruct(nets, batch.x) - batch.x).square().flatten(1).mean(1)}

    return errors, {}


MODEL = gs.Model(nets=nets, turns=turns, measure=measure, reconstruct=reconstruct)

"""RealNVP on dequantised pixels; z has the shape of an image (Dinh et al. 2017, arXiv:1605.08803).

gensweep run flow.py --dataset mnist
"""

import math

import torch
from torch import nn

import gensweep as gs

OBJECTIVE = (("fid", "min"), ("bits", "min"))
DEFAULTS = {"lr": 1e-3, "width": 32, "couplings": 6}
ALPHA = 0.05  # pixels are squeezed into ALPHA..1-ALPHA before the logit


def space(trial):
    return {
        "lr": trial.suggest_float("lr", 1e-4, 5e-3, log=True),
        "width": trial.suggest_categorical("width", [16, 32]),
        "couplings": trial.suggest_int("couplings", 4, 8),
        "weight_decay": 1e-4,
        "batch_size": 128,
        "epochs": 3,
    }


class Coupling(nn.Module):
    """Scales and shifts one half of a checkerboard by a function of the other half."""

    def __init__(self, shape, width, parity):
        super().__init__()
        c, h, w = shape
        board = (torch.arange(h)[:, None] + torch.arange(w) + parity) % 2
        self.register_buffer("mask", board.float()[None])
        self.body = nn.Sequential(
            nn.Conv2d(c, width, 3, 1, 1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * c, 3, 1, 1),
        )
        nn.init.zeros_(self.body[-1].weight)
        nn.init.zeros_(self.body[-1].bias)

    def forward(self, x, backward):
        log_scale, shift = self.body(x * self.mask).chunk(2, dim=1)
        log_scale = torch.tanh(log_scale) * (1 - self.mask)
        shift = shift * (1 - self.mask)
        if backward:
            return (x - shift) * torch.exp(-log_scale), log_scale
        return x * torch.exp(log_scale) + shift, log_scale


class Flow(nn.Module):
    """x -> (z, log |det| [B]); or z -> images, if `backward`."""

    def __init__(self, shape, width, n):
        super().__init__()
        self.layers = nn.ModuleList(Coupling(shape, width, k % 2) for k in range(n))

    def forward(self, x, backward=False):
        if backward:
            for layer in reversed(self.layers):
                x, _ = layer(x, True)
            return ((torch.sigmoid(x) - ALPHA) / (1 - 2 * ALPHA)).clamp(0, 1)
        squeezed = ALPHA + (1 - 2 * ALPHA) * x
        z = torch.log(squeezed) - torch.log(1 - squeezed)
        log_det = (math.log(1 - 2 * ALPHA) - torch.log(squeezed) - torch.log(1 - squeezed)).flatten(1).sum(1)
        for layer in self.layers:
            z, log_scale = layer(z, False)
            log_det = log_det + log_scale.flatten(1).sum(1)
        return z, log_det


def nets(config, shape, n_classes):
    return {"flow": Flow(shape, config["width"], config["couplings"])}


def bits(nets, x, u):
    """Bits per pixel [B] of images whose grey values are spread by u in 0..1 over their 256th."""
    z, log_det = nets["flow"]((255 * x + u) / 256)
    n = x[0].numel()
    log_p = -0.5 * (z.square() + math.log(2 * math.pi)).flatten(1).sum(1) + log_det
    return 8 - log_p / (n * math.log(2))


def loss(nets, batch, noise, hp):
    return bits(nets, batch.x, noise["u"]).mean(), {}


def turns(config, shape):
    turn = gs.Turn(
        "",
        ("flow",),
        lr="lr",
        noise={"u": gs.Draw("uniform", shape)},
        loss=loss,
        optimiser="adamw",
        schedule=gs.warmup(0.1, gs.cosine),
    )
    return (turn,)


def measure(config, shape):
    return lambda nets, batch, noise, hp: {"bits": bits(nets, batch.x, noise["u"])}, {"u": gs.Draw("uniform", shape)}


MODEL = gs.Model(
    nets=nets,
    turns=turns,
    measure=measure,
    latent=lambda config, shape: shape,
    sample=lambda nets, z, y: nets["flow"](0.7 * z, True),
)

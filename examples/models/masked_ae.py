"""Masked autoencoder, with a one-cycle rate and accumulated gradients (He et al. 2022, arXiv:2111.06377).

gensweep run masked_ae.py --dataset fashion_mnist
"""

import torch
from torch import nn

OBJECTIVE = ("val_error", "min")


def space(trial):
    return {
        "lr": trial.suggest_float("lr", 1e-4, 5e-3, log=True),
        "mask_ratio": trial.suggest_float("mask_ratio", 0.4, 0.9),
        "width": trial.suggest_categorical("width", [32, 64]),
        "layers": 2,
        "patch": 7,
        "accumulate": 2,
        "batch_size": 64,
        "epochs": 4,
    }


class MaskedAutoencoder(nn.Module):
    def __init__(self, shape, patch, width, layers):
        super().__init__()
        c, h, w = shape
        self.patch, self.tokens, self.pixels = patch, (h // patch) * (w // patch), c * patch * patch
        self.enter, self.leave = nn.Linear(self.pixels, width), nn.Linear(width, self.pixels)
        self.place = nn.Parameter(0.02 * torch.randn(1, self.tokens, width))
        self.missing = nn.Parameter(torch.zeros(1, 1, width))

        def blocks():
            layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True, norm_first=True)
            return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

        self.encoder, self.decoder = blocks(), blocks()

    def patches(self, x):  # [B, C, H, W] -> [B, T, pixels]
        return nn.functional.unfold(x, self.patch, stride=self.patch).transpose(1, 2)

    def forward(self, x, ratio):  # the squared error of the hidden patches, [B]
        target = self.patches(x)
        order = torch.rand(target.shape[:2], device=x.device).argsort(1)
        n = max(1, round(self.tokens * (1 - ratio)))
        seen = order[:, :n, None]
        entered = self.enter(target) + self.place
        codes = self.encoder(entered.gather(1, seen.expand(-1, -1, entered.shape[2])))
        full = (self.missing + self.place).expand(len(x), -1, -1).scatter(1, seen.expand(-1, -1, codes.shape[2]), codes)
        error = (self.leave(self.decoder(full)) - target).square().mean(2)
        hidden = torch.ones_like(error).scatter(1, seen[..., 0], 0.0)
        return (error * hidden).sum(1) / hidden.sum(1)


def train(config, data, trial):
    net = MaskedAutoencoder(data.shape, config["patch"], config["width"], config["layers"]).to(trial.device)
    opt = torch.optim.AdamW(net.parameters(), lr=config["lr"], weight_decay=0.05)
    steps = (data.n // config["batch_size"]) // config["accumulate"] * trial.n_epochs
    cycle = torch.optim.lr_scheduler.OneCycleLR(opt, config["lr"], total_steps=max(2, steps))
    trial.keep(net=net, opt=opt, cycle=cycle)
    trial.measure(lambda x, y: {"error": net(x, 0.75)})  # the same share for all: mask_ratio is searched
    for _ in trial.epochs():
        for i, (x, _) in enumerate(data.train.batches(config["batch_size"]), 1):
            loss = net(x, config["mask_ratio"]).mean()
            (loss / config["accumulate"]).backward()
            if i % config["accumulate"] == 0:
                opt.step()
                cycle.step()
                opt.zero_grad()
            trial.log(loss=loss)
        opt.zero_grad()

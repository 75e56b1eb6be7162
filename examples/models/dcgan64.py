"""DCGAN for 64 pixels, with smoothed labels and a plateau schedule a net (Radford et al. 2016, arXiv:1511.06434).

gensweep run dcgan64.py --dataset 'folder:photos?size=64'
"""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

OBJECTIVE = ("fid", "min")
DEFAULTS = {"lr": 2e-4, "beta1": 0.5, "batch_size": 64}


def space(trial):
    return {
        "lr": trial.suggest_float("lr", 1e-5, 1e-3, log=True),
        "beta1": trial.suggest_float("beta1", 0.0, 0.9),
        "batch_size": trial.suggest_categorical("batch_size", [32, 64]),
        "latent_dim": 64,
        "width": 16,
        "patience": 3,
        "epochs": 4,
    }


def weights_init(module):
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def generator(z, f, c):
    layers, width = [nn.Unflatten(1, (z, 1, 1)), nn.ConvTranspose2d(z, 8 * f, 4, 1, 0, bias=False)], 8 * f
    for _ in range(3):
        layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False)]
        width //= 2
    return nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU(), nn.ConvTranspose2d(width, c, 4, 2, 1), nn.Tanh())


def discriminator(f, c):
    layers, width = [nn.Conv2d(c, f, 4, 2, 1), nn.LeakyReLU(0.2)], f
    for _ in range(3):
        layers += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2)]
        width *= 2
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 0), nn.Flatten(0))


def train(config, data, trial):
    z, c = config["latent_dim"], data.shape[0]
    g = generator(z, config["width"], c).apply(weights_init).to(trial.device)
    d = discriminator(config["width"], c).apply(weights_init).to(trial.device)
    adam = {"lr": config["lr"], "betas": (config["beta1"], 0.999)}
    opt_g, opt_d = torch.optim.Adam(g.parameters(), **adam), torch.optim.Adam(d.parameters(), **adam)
    plateau_g, plateau_d = (
        torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=config["patience"]) for opt in (opt_g, opt_d)
    )
    trial.keep(g=g, d=d, opt_g=opt_g, opt_d=opt_d, plateau_g=plateau_g, plateau_d=plateau_d)
    trial.sampler(lambda n: (g(torch.randn(n, z, device=trial.device)) + 1) / 2)
    for _ in trial.epochs():
        sums = torch.zeros(2)
        for x, _ in data.train.batches(config["batch_size"], labels=False):
            real = d(2 * x - 1)
            fake = g(torch.randn(len(x), z, device=trial.device))
            out = d(fake.detach())
            loss_d = bce(real, torch.full_like(real, 0.9)) + bce(out, torch.zeros_like(out))
            opt_d.zero_grad()
            loss_d.backward()
            opt_d.step()
            out = d(fake)
            loss_g = bce(out, torch.ones_like(out))
            opt_g.zero_grad()
            loss_g.backward()
            opt_g.step()
            trial.log(loss_g=loss_g, loss_d=loss_d)
            sums += torch.stack([loss_g.detach(), loss_d.detach()]).cpu()
        plateau_g.step(sums[0])
        plateau_d.step(sums[1])

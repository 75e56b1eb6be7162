"""A VAE with AdamW and a cosine schedule (Kingma & Welling 2014, arXiv:1312.6114).

gensweep run my_vae.py --dataset 'folder:faces?size=64'
"""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

OBJECTIVE = ("fid", "min")


def space(trial):
    return {
        "lr": trial.suggest_float("lr", 1e-4, 5e-3, log=True),
        "beta": trial.suggest_float("beta", 0.1, 10.0, log=True),
        "latent_dim": trial.suggest_int("latent_dim", 16, 128, log=True),
        "width": 32,
        "batch_size": 128,
        "epochs": 20,
    }


def train(config, data, trial):
    (c, h, w), f, z = data.shape, config["width"], config["latent_dim"]
    enc = nn.Sequential(
        nn.Conv2d(c, f, 4, 2, 1),
        nn.ReLU(),
        nn.Conv2d(f, 2 * f, 4, 2, 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(f * h * w // 8, 2 * z),
    ).to(trial.device)
    dec = nn.Sequential(
        nn.Linear(z, f * h * w // 8),
        nn.Unflatten(1, (2 * f, h // 4, w // 4)),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * f, f, 4, 2, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(f, c, 4, 2, 1),
    ).to(trial.device)
    opt = torch.optim.AdamW([*enc.parameters(), *dec.parameters()], lr=config["lr"], weight_decay=1e-4)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, trial.n_epochs)

    def nats(x, beta=1.0):  # [B]: what the pixels and the code cost
        mean, log_var = enc(x).chunk(2, 1)
        logits = dec(mean + (0.5 * log_var).exp() * torch.randn_like(mean))
        kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1)
        return bce(logits, x, reduction="none").flatten(1).sum(1) + beta * kl

    trial.keep(enc=enc, dec=dec, opt=opt, sched=sched)  # saved each epoch; a killed trial is put back here
    trial.sampler(lambda n: dec(torch.randn(n, z, device=trial.device)).sigmoid())
    trial.measure(lambda x, y: {"nats": nats(x)})  # on held-out images; on test ones in finalize only
    for _ in trial.epochs():
        for x, _ in data.train.batches(config["batch_size"]):  # x in 0..1, on the trial's device
            loss = nats(x, config["beta"]).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            trial.log(loss=loss)  # the row has the epoch's mean
        sched.step()

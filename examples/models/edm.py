"""Diffusion with preconditioning and an averaged net; an epoch is 60 steps (EDM, Karras et al. 2022, arXiv:2206.00364).

gensweep run edm.py --dataset h5:galaxies.h5
"""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

OBJECTIVE = ("val_edm", "min")
SIGMA_DATA = 0.5


def space(trial):
    return {
        "lr": trial.suggest_float("lr", 1e-4, 3e-3, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [32, 64]),
        "ema": trial.suggest_categorical("ema", [0.95, 0.99]),
        "width": 24,
        "steps": 60,
        "sample_steps": 12,
        "epochs": 4,
    }


class Net(nn.Module):
    def __init__(self, c, f):
        super().__init__()

        def conv(i, o, stride=1):
            return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1), nn.GroupNorm(8, o), nn.SiLU())

        self.enter, self.down, self.middle = conv(c + 1, f), conv(f, 2 * f, 2), conv(2 * f, 2 * f)
        self.up, self.leave = nn.Sequential(nn.Upsample(scale_factor=2), conv(2 * f, f)), nn.Conv2d(2 * f, c, 3, 1, 1)

    def forward(self, x, sigma):  # the denoised image of x = image + sigma * noise, eq. 7
        skip = SIGMA_DATA**2 / (sigma**2 + SIGMA_DATA**2)
        out, scale = sigma * skip.sqrt(), (sigma**2 + SIGMA_DATA**2).rsqrt()
        h = self.enter(torch.cat([scale * x, (sigma.log() / 4).expand_as(x[:, :1])], 1))
        u = self.up(self.middle(self.down(h)))[..., : x.shape[2], : x.shape[3]]
        return skip * x + out * self.leave(torch.cat([u, h], 1))


def edm_loss(net, x):  # [B]
    sigma = (1.2 * torch.randn(len(x), 1, 1, 1, device=x.device) - 1.2).exp()
    weight = (sigma**2 + SIGMA_DATA**2) / (sigma * SIGMA_DATA) ** 2
    return (weight * (net(x + sigma * torch.randn_like(x), sigma) - x).square()).flatten(1).mean(1)


def draw(net, shape, steps, device):  # Heun's method, algorithm 1 without churn
    sigmas = torch.linspace(20.0 ** (1 / 7), 0.01 ** (1 / 7), steps, device=device) ** 7
    x = sigmas[0] * torch.randn(shape, device=device)
    for s, t in zip(sigmas, [*sigmas[1:], torch.zeros((), device=device)], strict=True):
        slope = (x - net(x, s.expand(len(x), 1, 1, 1))) / s
        new = x + (t - s) * slope
        if t > 0:
            slope = (slope + (new - net(new, t.expand(len(x), 1, 1, 1))) / t) / 2
            new = x + (t - s) * slope
        x = new
    return x


def train(config, data, trial):
    net = Net(data.shape[0], config["width"]).to(trial.device)
    mean = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(config["ema"]))
    opt = torch.optim.Adam(net.parameters(), lr=config["lr"])
    trial.keep(net=net, mean=mean, opt=opt)
    trial.sampler(lambda n: ((draw(mean, (n, *data.shape), config["sample_steps"], trial.device) + 1) / 2).clamp(0, 1))
    trial.measure(lambda x, y: {"edm": edm_loss(mean, 2 * x - 1)})
    for _ in trial.epochs():
        for x, _ in data.train.batches(config["batch_size"], steps=config["steps"]):
            loss = edm_loss(net, 2 * x - 1).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            mean.update_parameters(net)
            trial.log(loss=loss)

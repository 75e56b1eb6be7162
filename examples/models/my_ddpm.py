"""A small diffusion model, with an averaged net, bf16 on a GPU and a warm-up (Ho et al. 2020, arXiv:2006.11239).

gensweep run my_ddpm.py --dataset cifar10
"""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

OBJECTIVE, DEFAULTS = ("fid", "min"), {"lr": 2e-4, "width": 64, "ema": 0.999}  # DEFAULTS: trial 0


def space(trial):
    return {
        "lr": trial.suggest_float("lr", 5e-5, 1e-3, log=True),
        "width": trial.suggest_categorical("width", [32, 64]),
        "ema": trial.suggest_categorical("ema", [0.99, 0.999]),
        "steps": 50,
        "batch_size": 128,
        "epochs": 30,
    }


class Net(nn.Sequential):
    def __init__(self, c, f):
        def conv(i, o, dilation):
            return [nn.Conv2d(i, o, 3, 1, dilation, dilation), nn.GroupNorm(8, o), nn.SiLU()]

        super().__init__(
            *conv(c + 1, f, 1),
            *conv(f, f, 2),
            *conv(f, f, 4),
            *conv(f, f, 8),
            *conv(f, f, 4),
            *conv(f, f, 2),
            nn.Conv2d(f, c, 1),
        )

    def forward(self, x, s):  # s [B,1,1,1]: the image's share of the variance
        return super().forward(torch.cat([x, s.expand_as(x[:, :1])], 1))


def draw(net, shape, steps, device):  # DDIM (Song et al. 2021)
    x, shares = torch.randn(shape, device=device), torch.linspace(1e-3, 0.999, steps, device=device)
    for s, left in zip(shares, [*shares[1:], shares[-1]], strict=True):
        image = ((x - (1 - s).sqrt() * net(x, s.expand(len(x), 1, 1, 1))) / s.sqrt()).clamp(-1, 1)
        x = left.sqrt() * image + (1 - left).sqrt() * (x - s.sqrt() * image) / (1 - s).sqrt()
    return (image + 1) / 2


def train(config, data, trial):
    net = Net(data.shape[0], config["width"]).to(trial.device)
    mean = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(config["ema"]))
    opt = torch.optim.AdamW(net.parameters(), lr=config["lr"])
    warm = torch.optim.lr_scheduler.LinearLR(opt, 0.01, total_iters=500)
    trial.keep(net=net, mean=mean, opt=opt, warm=warm)
    trial.sampler(lambda n: draw(mean, (n, *data.shape), config["steps"], trial.device))
    for _ in trial.epochs():
        for x, _ in data.train.batches(config["batch_size"]):
            s, noise = torch.rand(len(x), 1, 1, 1, device=x.device), torch.randn_like(x)
            with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda):
                loss = (net(s.sqrt() * (2 * x - 1) + (1 - s).sqrt() * noise, s) - noise).square().mean()
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            warm.step()
            mean.update_parameters(net)
            trial.log(loss=loss)

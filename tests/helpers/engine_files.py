"""A small model file of interface B, and changes that give it one fault each."""
# ruff: noqa: E501  the lines of a file, and those of a check, as they are

SMALL = '''"""A small GAN whose losses the engine trains."""
import torch
from torch import nn
from torch.nn.functional import softplus

import gensweep as gs

OBJECTIVE = ("fid", "min")

def space(trial):
    return {"lr_g": trial.suggest_float("lr_g", 1e-4, 1e-2, log=True), "lr_d": trial.suggest_float("lr_d", 1e-4, 1e-2, log=True),
            "drift": trial.suggest_float("drift", 0.0, 0.1), "d_steps": trial.suggest_int("d_steps", 1, 2),
            "latent_dim": 8, "ema": 0.9, "batch_size": 64, "epochs": 2}

def nets(config, shape, n_classes):
    n = shape[0] * shape[1] * shape[2]
    return {"g": nn.Sequential(nn.Linear(8, n), nn.Sigmoid(), nn.Unflatten(1, shape)), "d": nn.Sequential(nn.Flatten(), nn.Linear(n, 1))}

def d_loss(nets, batch, noise, hp):
    real, fake = nets["d"](batch.x), nets["d"](nets["g"](noise["z"]))
    return softplus(-real).mean() + softplus(fake).mean() + hp["drift"] * real.square().mean(), {"real": real.mean().detach()}

def g_loss(nets, batch, noise, hp):
    return softplus(-nets["d"](nets["g"](noise["z"]))).mean(), {}

def turns(config, shape):
    z = {"z": gs.Draw("normal", (8,))}
    return (gs.Turn("d", ("d",), lr="lr_d", times=config["d_steps"], noise=z, loss=d_loss),
            gs.Turn("g", ("g",), lr="lr_g", noise=z, loss=g_loss))

MODEL = gs.Model(nets=nets, turns=turns, sample=lambda nets, z, y: nets["g"](z), averaged="g")
'''

CODER = '''"""A small autoencoder whose loss the engine trains."""
import torch
from torch import nn

import gensweep as gs

OBJECTIVE = ("error", "min")

def space(trial):
    return {"lr": trial.suggest_float("lr", 1e-4, 1e-2, log=True), "latent_dim": 4, "batch_size": 32, "epochs": 2}

def nets(config, shape, n_classes):
    n = shape[0] * shape[1] * shape[2]
    return {"coder": nn.Sequential(nn.Flatten(), nn.Linear(n, 4)), "decoder": nn.Sequential(nn.Linear(4, n), nn.Sigmoid(), nn.Unflatten(1, shape))}

def reconstruct(nets, x):
    return nets["decoder"](nets["coder"](x))

def turns(config, shape):
    loss = lambda nets, batch, noise, hp: ((reconstruct(nets, batch.x) - batch.x).square().mean(), {})
    return (gs.Turn("", ("coder", "decoder"), lr="lr", loss=loss),)

MODEL = gs.Model(nets=nets, turns=turns, sample=lambda nets, z, y: nets["decoder"](z), encode=lambda nets, x: nets["coder"](x), reconstruct=reconstruct)
'''

METRIC = "METRICS = {'off': gs.Metric(lambda images, real: 0.0)}\n\nMODEL = "
FAULTS = {
    "metric": (
        [("MODEL = ", METRIC.replace("0.0", "images[999]"))],
        "x my_gan.py: METRICS['off']: IndexError: index 999 is out of bounds for dimension 0 with size 8",
    ),
    "metric infinite": (
        [("MODEL = ", METRIC.replace("0.0", "float('nan')"))],
        "x my_gan.py: METRICS['off']: off is nan",
    ),
    "metric arguments": (
        [("MODEL = ", METRIC.replace("images, real", "images"))],
        "x my_gan.py: METRICS['off']: fn(images) takes 1 argument: (images, real) are given",
    ),
    "metric needs": (
        [("MODEL = ", METRIC.replace("0.0", "0.0, needs='codes'"))],
        "x my_gan.py: METRICS['off'] needs codes: give gs.Model(encode=...)",
    ),
    "metric when": (
        [("MODEL = ", METRIC.replace("0.0", "0.0, when='end'"))],
        "x my_gan.py: METRICS['off']: unknown when 'end' (known: due, last)",
    ),
    "metric key": (
        [("MODEL = ", METRIC.replace("off", "recon").replace("0.0", "{'mse': 0.0}"))],
        "x my_gan.py: METRICS['recon'] gives 'recon_mse', which another metric gives too: name it otherwise",
    ),
    "unread": ([('hp["drift"] * real', "0.1 * real")], "x my_gan.py: space() offers drift, which train() never reads"),
    "impure": (
        [
            ("real, fake = nets", "torch.rand(1)\n    real, fake = nets"),
            ("softplus(fake).mean() +", "softplus(fake).mean() + torch.rand(()) +"),
        ],
        "x my_gan.py: a loss draws its own random numbers",
    ),
    "both": (
        [("MODEL = ", "def train(config, data, trial):\n    pass\n\nMODEL = ")],
        "x my_gan.py has both train() and MODEL",
    ),
    "kind": (
        [
            (
                'MODEL = gs.Model(nets=nets, turns=turns, sample=lambda nets, z, y: nets["g"](z), averaged="g")',
                "MODEL = 3",
            )
        ],
        "x my_gan.py: MODEL is a int: write MODEL = gs.Model",
    ),
    "shape": (
        [("nn.Unflatten(1, shape))", "nn.Unflatten(1, shape[1:]))")],
        "x my_gan.py: sampler(8) gives [8, 8, 8]: [8, 1, 8, 8] is needed",
    ),
    "range": ([("nn.Sigmoid()", "nn.Tanh()")], "samples lie in -"),
    "nan": (
        [("softplus(-real).mean()", "softplus(-real).mean() / 0 * 0")],
        "x my_gan.py: loss_d is nan with the defaults",
    ),
    "no row": ([('"fid"', '"val_f1"')], "x my_gan.py: OBJECTIVE val_f1 is in no row; rows have grad_norm_d, loss_d"),
    "error": (
        [("real, fake = nets", "1 / 0\n    real, fake = nets")],
        "x my_gan.py:20: ZeroDivisionError: division by zero",
    ),
    "optimiser": (
        [('lr="lr_g", noise', 'lr="lr_g", optimiser="adagrad", noise')],
        "x my_gan.py:29: unknown optimiser 'adagrad'",
    ),
    "schedule impure": (
        [
            ("import gensweep as gs\n", "import gensweep as gs\nCALLS = []\n"),
            (
                'lr="lr_g", noise',
                'lr="lr_g", schedule=lambda share: (CALLS.append(share), len(CALLS))[1] / 1e6, noise',
            ),
        ],
        "of the steps: it must depend on the share alone",
    ),
    "schedule infinite": (
        [('lr="lr_g", noise', 'lr="lr_g", schedule=lambda share: float("inf") if share > 0.9 else 1.0, noise')],
        "x my_gan.py: the schedule of turn 'g' gives inf at share 0.91 of the steps: a finite number of at least 0 is",
    ),
    "schedule negative": (
        [('lr="lr_d", times', 'lr="lr_d", schedule=lambda share: 0.5 - share, times')],
        "x my_gan.py: the schedule of turn 'd' gives -0.01 at share 0.51 of the steps: a finite number of at least 0",
    ),
    "schedule type": (
        [('lr="lr_g", noise', 'lr="lr_g", schedule=lambda share: torch.tensor(share), noise')],
        "x my_gan.py: the schedule of turn 'g' gives a Tensor at share 0 of the steps: a number such as 0.5 is needed",
    ),
    "schedule arguments": (
        [('lr="lr_g", noise', 'lr="lr_g", schedule=lambda epoch, n: 1.0, noise')],
        "x my_gan.py:29: schedule(epoch, n) takes 2 arguments: (share) is given",
    ),
    "schedule error": (
        [('lr="lr_g", noise', 'lr="lr_g", schedule=lambda share: 1 / share, noise')],
        "x my_gan.py:29: ZeroDivisionError",
    ),
    "latent": (
        [('averaged="g")', 'averaged="g", latent=lambda config, shape: "8")')],
        "x my_gan.py: latent(config, shape) gives '8': a length such as 16, or a shape such as (4, 7, 7)",
    ),
    "latent arguments": (
        [('averaged="g")', 'averaged="g", latent=lambda config: 8)')],
        "x my_gan.py:31: latent(config) takes 1 argument: (config, shape) are given",
    ),
    "after arguments": (
        [('lr="lr_g", noise', 'lr="lr_g", after=lambda weights, buffers: {}, noise')],
        "x my_gan.py:29: after(weights, buffers) takes 2 arguments: (weights, buffers, hp, batch, noise) are given",
    ),
    "after name": (
        [('lr="lr_g", noise', 'lr="lr_g", after=lambda w, b, hp, batch, noise: {"0.weights": w["0.weight"]}, noise')],
        "x my_gan.py: after() of turn 'g' changes '0.weights', which net 'g' does not have (it has: 0.weight, 0.bias)",
    ),
    "momentum": (
        [('"batch_size": 64', '"momentum": trial.suggest_float("momentum", 0.0, 0.9), "batch_size": 64')],
        "x my_gan.py: space() offers momentum, which train() never reads",
    ),
    "no decay": (
        [('lr="lr_g", noise', 'lr="lr_g", optimiser="adamw", noise')],
        "! my_gan.py: turn 'g' has optimiser='adamw' and weight_decay is 0, which makes it adam: return weight_decay from",
    ),
}

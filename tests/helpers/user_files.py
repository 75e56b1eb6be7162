"""A small model file as a user writes it, and variants of it."""

from pathlib import Path

SMALL = '''"""A small autoencoder that draws from noise."""
import torch
from torch import nn

OBJECTIVE = ("fid", "min")

def space(trial):
    return {"lr": trial.suggest_float("lr", 1e-4, 1e-2, log=True), "width": trial.suggest_categorical("width", [8, 16]),
            "weight": trial.suggest_float("weight", 0.1, 10.0), "batch_size": 64, "epochs": 2}

def train(config, data, trial):
    n = torch.Size(data.shape).numel()
    enc = nn.Linear(n, config["width"]).to(trial.device)
    dec = nn.Sequential(nn.Linear(config["width"], n), nn.Sigmoid(), nn.Unflatten(1, data.shape)).to(trial.device)
    opt = torch.optim.Adam([*enc.parameters(), *dec.parameters()], lr=config["lr"])
    sched = torch.optim.lr_scheduler.ExponentialLR(opt, 0.5)

    def error(x):
        z = enc(x.flatten(1))
        return (dec(z + torch.randn_like(z)) - x).square().flatten(1).mean(1)

    trial.keep(enc=enc, dec=dec, opt=opt, sched=sched)
    trial.sampler(lambda n: dec(torch.randn(n, config["width"], device=trial.device)))
    trial.measure(lambda x, y: {"error": error(x)})
    for epoch in trial.epochs():
        for x, y in data.train.batches(config["batch_size"]):
            loss = config["weight"] * error(x).mean()
            opt.zero_grad(), loss.backward(), opt.step()
            trial.log(loss=loss)
        sched.step()
'''


LAYERS = "from torch import nn\n\n\ndef first(n, width):\n    return nn.Linear(n, width)\n"
IMPORTS = ("from torch import nn\n", "from torch import nn\nimport my_layers\nfrom blocks.last import last\n")
USES = [
    ('nn.Linear(n, config["width"])', 'my_layers.first(n, config["width"])'),
    ("nn.Sigmoid()", "last()"),
]


def write_code(folder: Path) -> Path:
    """Write modules into a folder, and a model file beside them that imports them; return its path."""
    (folder / "blocks").mkdir(parents=True)
    (folder / "my_layers.py").write_text(LAYERS)
    (folder / "blocks" / "__init__.py").write_text("from . import last\n")
    (folder / "blocks" / "last.py").write_text("from torch import nn\n\n\ndef last():\n    return nn.Sigmoid()\n")
    return write_file(folder, IMPORTS, *USES)


def small_file(*changes: tuple[str, str], text: str = SMALL) -> str:
    """Return the small file, or another text, with parts of it replaced; every part is there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def write_file(folder: Path, *changes: tuple[str, str], name: str = "my_model.py", text: str = SMALL) -> Path:
    """Write the small file, or another text, with changes into a folder, and return its path."""
    path = folder / name
    path.write_text(small_file(*changes, text=text))
    return path

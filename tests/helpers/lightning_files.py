"""A small model file whose training loop is Lightning's, and what variants of it replace."""

FIT = """    trainer = pl.Trainer(max_epochs=trial.n_epochs, accelerator=trial.device.type, devices=1, logger=False,
                         enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
                         callbacks=[callback])
    trainer.fit(net, data.train.batches(config["batch_size"]), data.val.batches(100))
"""
SMALL = f'''"""A small autoencoder with Lightning."""
import torch
from torch import nn
import lightning.pytorch as pl

OBJECTIVE = ("fid", "min")

def space(trial):
    return {{"lr": trial.suggest_float("lr", 1e-4, 1e-2, log=True),
            "width": trial.suggest_categorical("width", [8, 16]), "batch_size": 64, "epochs": 3}}

class Net(pl.LightningModule):
    def __init__(self, n, shape, config):
        super().__init__()
        self.config = config
        self.enc = nn.Sequential(nn.Linear(n, config["width"]), nn.BatchNorm1d(config["width"]))
        self.dec = nn.Sequential(nn.Linear(config["width"], n), nn.Sigmoid(), nn.Unflatten(1, shape))

    def error(self, x):
        z = self.enc(x.flatten(1))
        return (self.dec(z + torch.randn_like(z)) - x).square().flatten(1).mean(1)

    def training_step(self, batch, i):
        loss = self.error(batch[0]).mean()
        self.log("step_loss", loss)
        self.log("both", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch, i):
        self.log("val_loss", self.error(batch[0]).mean())

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.config["lr"])
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        return {{"optimizer": optimizer, "lr_scheduler": scheduler}}

def train(config, data, trial):
    n = torch.Size(data.shape).numel()
    net = Net(n, data.shape, config)
    callback = trial.lightning(net, sampler=lambda n: net.dec(torch.randn(n, config["width"], device=net.device)),
                               measure=lambda x, y: {{"error": net.error(x)}})
{FIT}'''
LOADERS = (
    'data.train.batches(config["batch_size"]), data.val.batches(100)',
    "torch.utils.data.DataLoader(data.train, 64, shuffle=True), torch.utils.data.DataLoader(data.val, 100)",
)
BY_HAND = [
    (
        "        self.config = config\n",
        "        self.config = config\n        self.automatic_optimization = False\n",
    ),
    (
        "        return loss\n",
        "        optimizer = self.optimizers()\n"
        "        optimizer.zero_grad(), self.manual_backward(loss), optimizer.step()\n",
    ),
    (
        "    def configure_optimizers",
        "    def on_train_epoch_end(self):\n"
        "        self.lr_schedulers().step()\n        self.log('late', self.global_step)\n\n"
        "    def configure_optimizers",
    ),
]

"""A VAE as a LightningModule, trained by its Trainer.

gensweep run lightning_vae.py --dataset mnist
"""

import lightning.pytorch as pl
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

OBJECTIVE = ("fid", "min")
DEFAULTS = {"lr": 1e-3, "latent_dim": 16, "beta": 1.0}


def space(trial):
    return {
        "lr": trial.suggest_float("lr", 1e-4, 5e-3, log=True),
        "latent_dim": trial.suggest_int("latent_dim", 8, 64, log=True),
        "beta": trial.suggest_float("beta", 0.1, 4.0, log=True),
        "batch_size": 128,
        "epochs": 4,
    }


class VAE(pl.LightningModule):
    def __init__(self, shape, lr, latent_dim, beta):
        super().__init__()
        self.save_hyperparameters()
        n = shape[0] * shape[1] * shape[2]
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(n, 400), nn.ReLU(), nn.Linear(400, 2 * latent_dim))
        self.decoder = nn.Sequential(nn.Linear(latent_dim, 400), nn.ReLU(), nn.Linear(400, n), nn.Unflatten(1, shape))

    def nats(self, x, beta=1.0):
        mean, log_var = self.encoder(x).chunk(2, dim=1)
        logits = self.decoder(mean + (0.5 * log_var).exp() * torch.randn_like(mean))
        kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1)
        return bce(logits, x, reduction="none").flatten(1).sum(1) + beta * kl

    def training_step(self, batch, batch_idx):
        loss = self.nats(batch[0], self.hparams.beta).mean()
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.nats(batch[0]).mean())

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8)]

    @torch.no_grad()
    def draw(self, n):
        return self.decoder(torch.randn(n, self.hparams.latent_dim, device=self.device)).sigmoid()


def train(config, data, trial):
    vae = VAE(data.shape, config["lr"], config["latent_dim"], config["beta"])
    callback = trial.lightning(vae, sampler=vae.draw, measure=lambda x, y: {"nats": vae.nats(x)})
    trainer = pl.Trainer(
        max_epochs=trial.n_epochs,
        accelerator=trial.device.type,
        devices=1,
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(vae, data.train.batches(config["batch_size"]), data.val.batches(500))

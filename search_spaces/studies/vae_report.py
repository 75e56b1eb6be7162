"""`gensweep study vae-report`: what the report says of its VAEs, on its own net. About two core-hours.

The net and settings are those of the PyTorch example that the report starts from: one hidden layer of 400, codes of 20,
batches of 128. The report looks at reconstructions and at the loss, so these come first; FID is of prior samples.
"""

from typing import Any

from search_spaces.studies.types import Arm, Claim, Study

NET: dict[str, Any] = {
    "net": "mlp", "width": 400, "latent_dim": 20, "likelihood": "bernoulli", "beta": 1.0, "batch_size": 128,
}  # fmt: skip
POINT = {**NET, "lr": 5e-4}  # with 30 epochs, what the report picks on Fashion-MNIST


def _fashion(note: str, epochs: int = 30, **change: Any) -> Arm:
    return Arm(note, "vae", "fashion_mnist", {**POINT, **change}, epochs)


RIVALS = ("rate-2.5e-4", "rate-1e-3", "rate-2e-3", "batch-64", "batch-256", "epochs-10", "epochs-50")
STUDY = Study(
    title="The report's VAEs on MNIST and Fashion-MNIST",
    question="Does what the report says of its VAEs hold on its own net?",
    arms={
        "mnist-1": Arm("MNIST after one epoch", same_as="mnist-10", at_epoch=1),
        "mnist-10": Arm("MNIST after ten epochs, rate 1e-3", "vae", "mnist", {**NET, "lr": 1e-3}, 10),
        "point": Arm("the report's pick: 30 epochs, batches of 128, rate 5e-4", same_as="epochs-50", at_epoch=30),
        "epochs-10": Arm("the same after 10 epochs", same_as="epochs-50", at_epoch=10),
        "epochs-50": _fashion("the same after 50 epochs", 50),
        "rate-2.5e-4": _fashion("half the rate", lr=2.5e-4),
        "rate-1e-3": _fashion("twice the rate", lr=1e-3),
        "rate-2e-3": _fashion("four times the rate", lr=2e-3),
        "batch-64": _fashion("batches of 64, so twice the updates", batch_size=64),
        "batch-256": _fashion("batches of 256, so half the updates", batch_size=256),
    },
    claims=(
        Claim("ten epochs rebuild better than one", "mnist-10", "lower", "recon_mse", "mnist-1",
              "the reconstruction loss falls, and images are more faithful"),
        Claim("reconstructions are sharper after ten epochs than after one", "mnist-10", "higher", "recon_sharpness",
              "mnist-1", "after 10 epochs the images are clearer than after 1"),
        Claim("samples of epoch 10 have a lower FID than those of epoch 1", "mnist-10", "lower", "fid", "mnist-1"),
        Claim("no other point is more than half a nat better than the report's", "point", "lower", "nats", RIVALS,
              "the best: 30 epochs, batches of 128, rate 5e-4", margin=0.5),
        Claim("no other point rebuilds more than .0005 better than the report's", "point", "lower", "recon_mse",
              RIVALS, margin=0.0005),
        Claim("twice the rate has the better bound", "rate-1e-3", "lower", "nats", "point"),
        Claim("50 epochs have a better bound than 30", "epochs-50", "lower", "nats", "point"),
        Claim("twice the rate has the lower FID of samples", "rate-1e-3", "lower", "fid", "point"),
    ),
    table=("nats", "recon_mse", "recon_sharpness", "fid", "sharpness", "modes", "recall"),
    pictures={
        "grid": ("mnist-10", "point", "rate-1e-3", "epochs-50"),
        "epochs": ("mnist-10", "epochs-50"),
        "bands:nats": ("epochs-50", "rate-2.5e-4", "rate-1e-3", "rate-2e-3", "batch-64", "batch-256"),
        "bands:fid": ("epochs-50", "rate-2.5e-4", "rate-1e-3", "rate-2e-3", "batch-64", "batch-256"),
    },
    every=10,
    train_images=55_000,
    scope=(
        "The net, the code and the batches are the report's; the images are 55,000 of its 60,000, the rest measures. "
        "The bound in nats and the error of reconstructions are what the report looks at, so its claims are tested on "
        "these. FID is of samples from the prior, of which the report says nothing. Batch sizes are compared at equal "
        "epochs, as in the report, so they differ in their numbers of updates."
    ),
)  # fmt: skip

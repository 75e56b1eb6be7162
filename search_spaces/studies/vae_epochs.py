"""`gensweep study vae-epochs`: what ten epochs of a VAE on MNIST bring over one. About 2 minutes on two cores."""

from search_spaces.studies.types import Arm, Claim, Study

STUDY = Study(
    title="A VAE on MNIST, epoch 1 against epoch 10",
    question="Are the samples of a VAE clearer after ten epochs than after one?",
    arms={
        "epoch-1": Arm("the same trainings after their first epoch", same_as="epoch-10", at_epoch=1),
        "epoch-10": Arm(
            "ten epochs",
            "vae",
            "mnist",
            {"net": "mlp", "width": 128, "likelihood": "bernoulli", "latent_dim": 20, "lr": 1e-3, "batch_size": 128},
            epochs=10,
        ),
    },
    claims=(
        Claim("the samples of epoch 10 have a lower FID than those of epoch 1", "epoch-10", "lower", "fid", "epoch-1"),
        Claim("and sharper", "epoch-10", "higher", "sharpness", "epoch-1"),
        Claim("epoch 10 reconstructs better than epoch 1", "epoch-10", "lower", "recon_mse", "epoch-1"),
        Claim("epoch 10 draws the classes more evenly than epoch 1", "epoch-10", "higher", "modes", "epoch-1"),
    ),
    table=("fid", "sharpness", "modes", "precision", "recall", "recon_mse", "nats"),
    pictures={"grid": (), "epochs": ("epoch-10",), "bands:fid": ("epoch-10",), "shares": ()},
    every=3,
    train_images=20_000,
    scope=(
        "The report compares reconstructions after one and after ten epochs; here FID, sharpness and class shares are "
        "those of samples from the prior, and only the claim on the reconstruction error is about reconstructions. "
        "The net has a width of 128, not of 400, and sees 20,000 images, so an epoch is a third of the report's."
    ),
)

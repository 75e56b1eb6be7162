"""`gensweep study dae-corruption`: how much noise to train a denoising autoencoder with. About 4 minutes on two cores.

Every arm is judged alike, on the error against clean held-out images at noise .1, .3 and .5. The parabola arms are the
picture of what denoising does: points beside y = x^2 are pulled back to it.
"""

from search_spaces.studies.types import Arm, Claim, Study

DIGITS = {"net": "mlp", "width": 128, "latent_dim": 32, "lr": 1e-3, "batch_size": 128, "corruption": "gaussian"}
CURVE = {**DIGITS, "width": 64, "latent_dim": 8, "lr": 3e-3}


def _digits(sigma: float, note: str) -> Arm:
    return Arm(note, "dae", "mnist", {**DIGITS, "sigma": sigma}, epochs=8)


def _curve(sigma: float) -> Arm:
    return Arm(f"points of y = x^2, noise of sd {sigma:g} on an axis of length 1", "dae", "parabola",
               {**CURVE, "sigma": sigma}, epochs=8)  # fmt: skip


STUDY = Study(
    title="Denoising autoencoders: how much noise to train with",
    question="Does training with noise make an autoencoder denoise, and is an sd of 0.1 enough of it?",
    arms={
        "noise-0": _digits(1e-4, "no noise to speak of: a plain autoencoder"),
        "noise-0.1": _digits(0.1, "sd 0.1"),
        "noise-0.3": _digits(0.3, "sd 0.3"),
        "noise-0.5": _digits(0.5, "sd 0.5"),
        "curve-0.05": _curve(0.05),
        "curve-0.1": _curve(0.1),
        "curve-0.2": _curve(0.2),
    },
    claims=(
        Claim("noise of sd 0.1 in training denoises better than none", "noise-0.1", "lower", "recon_mse", "noise-0"),
        Claim("sd 0.1 is enough: 0.3 denoises no better", "noise-0.3", "higher", "recon_mse", "noise-0.1"),
        Claim("sd 0.1 is enough: 0.5 denoises no better", "noise-0.5", "higher", "recon_mse", "noise-0.1"),
        Claim("denoised points lie nearer to y = x^2, sd 0.05", "curve-0.05", "lower", "curve_ratio", 1.0),
        Claim("denoised points lie nearer to y = x^2, sd 0.1", "curve-0.1", "lower", "curve_ratio", 1.0),
        Claim("denoised points lie nearer to y = x^2, sd 0.2", "curve-0.2", "lower", "curve_ratio", 1.0),
    ),
    table=("recon_mse", "curve_ratio"),
    pictures={
        "parabola": ("curve-0.05", "curve-0.1", "curve-0.2"),
        "strip": ("noise-0", "noise-0.1", "noise-0.3", "noise-0.5"),
        "bands:recon_mse": ("noise-0", "noise-0.1", "noise-0.3", "noise-0.5"),
    },
    every=2,
    train_images=20_000,
    scope=(
        "The report draws noise of sd 0.1 on y = x^2 as one simple example; it trains no denoising autoencoder and "
        "does not say that 0.1 is enough. The question is ours, for small nets and 1,248 updates."
    ),
)

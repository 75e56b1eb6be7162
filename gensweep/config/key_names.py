"""Find the key of a model that a name of another program means: `learning_rate` and `model.lr` are `lr`."""

from collections.abc import Iterable

from trainables.errors import did_you_mean

USUAL = {  # key -> what other programs call it
    "lr": "learning_rate learn_rate lrate base_lr init_lr step_size",
    "lr_g": "lr_gen g_lr gen_lr lr_generator generator_lr learning_rate_g g_learning_rate generator_learning_rate",
    "lr_d": "lr_disc d_lr disc_lr lr_discriminator discriminator_lr discriminator_learning_rate critic_lr",
    "batch_size": "bs batch batchsize train_batch_size minibatch_size mb_size",
    "latent_dim": "z_dim zdim dim_z nz z_size latent_size latent n_latent latent_dims embedding_dim code_dim",
    "beta1": "b1 adam_beta1 beta_1 adam_b1",
    "beta2": "b2 adam_beta2 beta_2 adam_b2",
    "epochs": "n_epochs num_epochs max_epochs nb_epochs epoch train_epochs",
    "width": "ngf ndf hidden_dim hidden_size n_hidden n_hiddens n_filters num_filters base_channels channels filters",
    "beta": "kl_weight kld_weight kl_coef kl_beta beta_kl kl_lambda",
    "d_steps": "n_critic critic_iters critic_steps disc_steps d_iters n_d",
    "g_steps": "gen_steps g_iters n_g",
    "penalty_weight": "gp_weight lambda_gp gp_lambda gradient_penalty_weight lambda_r1 r1_gamma",
    "d_dropout": "dropout drop_rate dropout_rate",
    "label_smoothing": "smoothing smooth label_smooth",
    "ema": "ema_decay ema_beta",
    "clip": "clip_value weight_clip clipping",
    "noise": "noise_std noise_level corruption noise_factor",
}
_MEANT = {name: key for key, names in USUAL.items() for name in names.split()}
OPTIONS = ("seed", "dataset", "trials", "sampler", "scheduler", "name")  # of a sweep, and not of a model


def unknown_key(model: str, name: str, known: Iterable[str]) -> str:
    """Return what is wrong with a name that a model does not know, with the key that it means or is nearest to."""
    names = list(known)
    plain = name.rpartition(".")[2].strip().lower().replace("-", "_")
    if plain in OPTIONS:
        return f"{name} belongs to the sweep and not to the model: write {plain}: at the top level"
    meant = plain if plain in names else _MEANT.get(plain)
    if meant == "lr" and "lr_g" in names:
        return f"unknown key of {model} {name!r}: write 'lr_g' and 'lr_d'"
    if meant in names:
        return f"unknown key of {model} {name!r}: write {meant!r}"
    return did_you_mean(f"key of {model}", name, names).partition(" (known: ")[0]

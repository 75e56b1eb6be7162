"""Every configuration key that a trainable may read: its type, its range and how it enters the program.

*Structural* keys shape the program (tensor shapes, batch size, the loss, how often each net moves): trials that
agree in them can be trained as one stacked program. *Numeric* keys enter it as numbers only; the pure steps see
them as 0-d tensors ``hp[key]``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from trainables.errors import UserError, unknown
from trainables.penalties import PENALTIES
from trainables.schemes import SCHEMES

Config = Mapping[str, Any]  # nothing changes the configuration of a trial


class RecordedConfig(Mapping[str, Any]):
    """A configuration that records in `read` whose values were used.

    A copy of it, `{**config, "gmm": 0}`, uses the value of every key. Asking whether a key is there, or looping over
    the names, uses none.
    """

    def __init__(self, config: Config) -> None:
        self._values = dict(config)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Key(NamedTuple):
    """One configuration key; ``low`` and ``high`` are inclusive."""

    kind: Literal["structural", "numeric"]
    type: type
    doc: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None


_TINY = 1e-12  # rates are positive
_ALMOST_1 = 1 - 1e-9  # a decay of 1 would never forget
_LR = "Adam's learning rate"
KEYS: dict[str, Key] = {
    "lr": Key("numeric", float, _LR, _TINY, 10.0),
    "lr_g": Key("numeric", float, _LR + " of the generator", _TINY, 10.0),
    "lr_d": Key("numeric", float, _LR + " of the discriminator", _TINY, 10.0),
    "lr_decay": Key(
        "numeric", float, "share of the training, at its end, in which the learning rates fall linearly to 0", 0.0, 1.0
    ),
    "beta1": Key("numeric", float, "Adam's decay of the first moment", 0.0, _ALMOST_1),
    "beta2": Key("numeric", float, "Adam's decay of the second moment", 0.0, _ALMOST_1),
    "weight_decay": Key("numeric", float, "weight of the penalty on large weights; decoupled in adamw", 0.0, 10.0),
    "momentum": Key("numeric", float, "share of the last step that sgd and rmsprop add to a step", 0.0, _ALMOST_1),
    "batch_size": Key("structural", int, "images per step", 2, 65536),
    "epochs": Key("numeric", int, "epochs; each is `steps_per_epoch` steps", 1, 100_000),
    "steps_per_epoch": Key(
        "numeric", int, "steps of an epoch; 0: as many as one pass over the training images has", 0, 10_000_000
    ),
    "latent_dim": Key("structural", int, "length of the code z", 1, 4096),
    "width": Key(
        "structural",
        int,
        "units of the hidden layers, or channels; of the narrowest layer if they differ",
        1,
        8192,
    ),
    "net": Key("structural", str, "kind of network", choices=("mlp", "pyramid", "conv")),
    "out": Key("structural", str, "last function of the generator", choices=("sigmoid", "tanh")),
    "label_dim": Key("structural", int, "length of the labels' embeddings", 1, 4096),
    "gmm": Key("structural", int, "Gaussians on the codes that an autoencoder samples from; 0: it does not", 0, 1000),
    "beta": Key("numeric", float, "weight of the KL term", 0.0, 1e4),
    "warmup": Key("numeric", float, "epochs over which the KL term's weight rises from 0 to beta", 0.0, 1e5),
    "free_bits": Key("numeric", float, "nats of KL that each number of the code costs at least", 0.0, 100.0),
    "likelihood": Key("structural", str, "p(x|z)", choices=("bernoulli", "gaussian", "gaussian_learned")),
    "sigma": Key("numeric", float, "sd of p(x|z), or of the corruption, or its share of the pixels", 1e-4, 10.0),
    "corruption": Key("structural", str, "of the inputs", choices=("gaussian", "masking", "salt_and_pepper")),
    "scheme": Key("structural", str, "the GAN's loss pair", choices=tuple(SCHEMES)),
    "penalty": Key("structural", str, "what holds the slope of the discriminator", choices=tuple(PENALTIES)),
    "penalty_weight": Key("numeric", float, "weight of the gradient penalty in the discriminator's loss", 0.0, 1e4),
    "clip": Key("numeric", float, "bound of the discriminator's weights", 1e-6, 10.0),
    "d_norm": Key("structural", str, "normalisation in the discriminator", choices=("none", "batch", "spectral")),
    "d_dropout": Key("structural", float, "share of the discriminator's hidden units that dropout sets to 0", 0.0, 0.9),
    "d_cond": Key(
        "structural", str, "how the discriminator gets the label", choices=("channels", "concat", "projection")
    ),
    "pack": Key("structural", int, "images that the discriminator judges at once", 1, 64),
    "d_steps": Key("structural", int, "discriminator updates per step", 1, 100),
    "g_steps": Key("structural", int, "generator updates per step", 1, 100),
    "ema": Key("numeric", float, "decay of the generator's averaged weights; 0 means none", 0.0, _ALMOST_1),
    "label_smoothing": Key("numeric", float, "the discriminator's target on real images is 1 - this", 0.0, 0.5),
    "precision": Key("structural", str, "arithmetic of the nets", choices=("fp32", "bf16")),
}


def numeric(config: Config) -> list[str]:
    """Return the real-valued keys of ``config`` that the steps read as tensors (``epochs`` only ends the loop)."""
    return [key for key in config if _is_numeric(key, config[key])]


def _is_numeric(key: str, value: Any) -> bool:
    if key not in KEYS:  # of a user's model: a float is numeric
        return isinstance(value, float)
    return KEYS[key].kind == "numeric" and KEYS[key].type is float


def is_structural(key: str, value: Any) -> bool:
    """Return whether a key shapes the program; of a user's model, all that are not floats do."""
    return KEYS[key].kind == "structural" if key in KEYS else not isinstance(value, float)


def check(key: str, value: Any) -> Any:
    """Return ``value`` as the key's type.

    Raises:
        UserError: unknown key, wrong type, or outside the range.
    """
    if key not in KEYS:
        raise unknown("key", key, KEYS)
    spec = KEYS[key]
    if spec.type is str:
        if value not in (spec.choices or ()):
            raise unknown(key, str(value), spec.choices or ())
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or (spec.type is int and value != int(value)):
        raise UserError(
            f"{key}={value!r}: {'a whole number' if spec.type is int else 'a number'} is needed ({spec.doc})"
        )
    low, high = spec.low or 0.0, spec.high or 0.0
    if not low <= value <= high:
        raise UserError(f"{key}={value!r} is out of range: {low:g} to {high:g} ({spec.doc})")
    return spec.type(value)

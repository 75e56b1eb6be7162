"""Read which extractor a user chose in place of the one that is trained on the images: `--extractor`.

    random                          seeded random convolutions: always there, not trained
    torchvision:NET:FILE            a net of torchvision, with the weights of a file
    inception:FILE                  Inception v3: torchvision's weights, or those of the original FID (pt_inception)
    dinov2:FILE                     DINOv2 of any size, with or without registers: its published weights

A file holds a state_dict. It is read as data: nothing in it is executed. Imports no torch, since a wrong option is
reported before torch is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from trainables.errors import UserError, unknown

FORMS = ("random", "torchvision:NET:FILE", "inception:FILE", "dinov2:FILE")
OWN_NAMES = ("random", "inception", "dinov2")  # of nets that are not named as torchvision names them


class ExtractorChoice(NamedTuple):
    """A chosen extractor, as a manifest records it. A random one has no file."""

    net: str  # one of OWN_NAMES, or the name of a torchvision net
    path: str = ""  # of the weights, absolute
    sha256: str = ""  # of the file

    @property
    def text(self) -> str:
        """The option that chooses it."""
        return ":".join(part for part in (self.name, self.path) if part)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.net if self.net in OWN_NAMES else f"torchvision:{self.net}"

    @property
    def key(self) -> str:
        """A part of the name of what is cached for it."""
        return f"{self.net}-{self.sha256[:12]}" if self.path else self.net


def parse_choice(text: str) -> ExtractorChoice:
    """Return the choice of an option's text, with the hash of its file.

    Raises:
        UserError: another form, or a file that cannot be read.
    """
    kind, _, rest = text.partition(":")
    if kind not in (*OWN_NAMES, "torchvision"):
        raise unknown("extractor", text, FORMS)
    if kind == "random":
        if rest:
            raise UserError(f"extractor {text!r}: random takes no file")
        return ExtractorChoice("random")
    net, _, path = rest.partition(":") if kind == "torchvision" else (kind, "", rest)
    if not net or not path:
        example = "torchvision:resnet18:FILE" if kind == "torchvision" else f"{kind}:FILE"
        raise UserError(f"extractor {text!r} names no file of weights: write {example}")
    file = Path(path).expanduser().resolve()
    return ExtractorChoice(net, str(file), _sha256(file, text))


def recorded_choice(content: Mapping[str, Any] | None) -> ExtractorChoice | None:
    """Return the choice that a manifest records; None if the extractor is the default one."""
    return None if content is None else ExtractorChoice(**content)


def _sha256(file: Path, text: str) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        raise UserError(f"extractor {text!r}: {file} does not exist") from None
    except OSError as error:
        raise UserError(f"extractor {text!r}: {file} cannot be read: {error.strerror}") from None

"""The configuration as a user's `train` sees it: a mapping that cannot change, whose keys are also attributes."""

from __future__ import annotations

from typing import Any

from trainables.config_schema import RecordedConfig
from trainables.errors import UserError, did_you_mean


class MissingKeyError(UserError, AttributeError):
    """A key that the configuration does not have, read as an attribute: `hasattr` sees that it is missing."""


class UserConfig(RecordedConfig):
    """`config["lr"]` and `config.lr` are the same. It records in `read` which keys were used."""

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise UserError(f"train() reads config[{key!r}]: {did_you_mean('key', key, list(self))}")
        return super().__getitem__(key)

    def __getattr__(self, key: str) -> Any:
        if key.startswith("_") or key == "read":
            raise AttributeError(key)
        if key not in self:
            raise MissingKeyError(f"train() reads config.{key}: {did_you_mean('key', key, list(self))}")
        return super().__getitem__(key)

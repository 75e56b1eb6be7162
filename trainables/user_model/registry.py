"""The users' models of this process, by name. A driver registers the file that the user named, a worker the text that
came with its task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables import MODELS
from trainables.errors import UserError
from trainables.user_model.model import UserModel

if TYPE_CHECKING:
    from trainables import Model

USER_MODELS: dict[str, UserModel] = {}


def register(model: UserModel) -> None:
    """Make a model known under its name; raise UserError if a built-in model has that name."""
    if model.name in MODELS:
        raise UserError(f"{model.name}.py: gensweep has a model {model.name!r}: give your file another name")
    USER_MODELS[model.name] = model


def find_model(name: str) -> Model | UserModel:
    """Return a built-in model or a registered one by its name; raise KeyError if there is none.

    A registered one that the engine trains (interface B) is built from its file.
    """
    model = USER_MODELS.get(name)
    if model is None:
        return MODELS[name]
    if model.facts.interface == "model":
        from trainables.user_model.engine_model import build_model

        return build_model(model.code)
    return model

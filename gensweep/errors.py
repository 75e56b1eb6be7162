"""The exception for a mistake of the user, and "did you mean" texts; trainables defines them and needs them too."""

from trainables.errors import UserError, did_you_mean, unknown

__all__ = ["UserError", "did_you_mean", "unknown"]

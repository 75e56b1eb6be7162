"""The one exception for a user's mistake, from the package that everything may import."""

from trainables.errors import UserError, did_you_mean, unknown

__all__ = ["UserError", "did_you_mean", "unknown"]

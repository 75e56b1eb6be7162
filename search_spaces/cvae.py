"""Conditional VAE: the VAE's space, its objective and its defaults; only the nets differ."""

from search_spaces.vae import DEFAULTS, OBJECTIVE, ROLES, space

__all__ = ["DEFAULTS", "OBJECTIVE", "ROLES", "space"]

"""Draw the figures of a study, one file each; see registry.py."""

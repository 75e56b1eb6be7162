"""Compare two sweeps at equal budget."""

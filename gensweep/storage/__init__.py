"""Locks, atomic writes, and results in a bucket."""

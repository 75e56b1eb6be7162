"""Locks, atomic writes, and results that live in a bucket."""

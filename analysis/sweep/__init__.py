"""Analyse one sweep: ranking, finalists, importance, boundaries, tables."""

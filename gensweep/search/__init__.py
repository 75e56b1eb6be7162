"""Optuna: samplers, study storage, extending a study."""

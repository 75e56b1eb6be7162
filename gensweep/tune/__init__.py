"""Ray Tune: searcher, schedulers, trial, progress, Ray session."""

"""Read the files of a sweep: its manifest, its Optuna study, its rows, its data set."""

"""`gensweep new FILE`: write a model file that runs as it is, to be changed by the user."""

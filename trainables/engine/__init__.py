"""The training loop of all models: it takes a model's turns and yields epochs."""

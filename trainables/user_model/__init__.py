"""A model from a user's own file: loaded from its text, trained by its own loop, evaluated like every other model."""

"""The only training loop: turns in, a stream of epochs out."""

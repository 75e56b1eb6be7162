"""Rebuild trained nets and generate images from them."""

"""Rebuild trained nets and draw from them."""

"""Text, image and statistics helpers that every part of the analysis uses."""

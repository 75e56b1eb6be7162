"""Check a user's model file before a sweep: each fault is one line with its place and its cure."""

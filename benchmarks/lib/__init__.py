"""What several benchmarks share: no benchmark of its own."""

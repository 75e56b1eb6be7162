"""Ray cluster files: validate them, bring the cluster up, run commands on its head."""

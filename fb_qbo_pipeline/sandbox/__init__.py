"""Both APIs offline, for the demo, tests and training."""

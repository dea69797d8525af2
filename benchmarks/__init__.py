"""Measurements of speed, calls and memory; `make bench` runs them. No test: they take minutes and depend on the machine."""

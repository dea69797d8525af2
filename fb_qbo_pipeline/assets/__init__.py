"""Dagster assets: thin wrappers of the other rooms."""

"""FreshBooks to QuickBooks Online, exactly once and to the cent, as a Dagster project."""

__version__ = "0.1.0"

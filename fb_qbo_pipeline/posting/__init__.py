"""Intended documents into QuickBooks, exactly once."""

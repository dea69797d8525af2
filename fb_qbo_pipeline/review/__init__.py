"""Tie-outs and findings for finance."""

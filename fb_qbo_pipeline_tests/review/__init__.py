"""Tests of the tie-outs."""

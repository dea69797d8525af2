"""Tests of the fb-qbo commands."""

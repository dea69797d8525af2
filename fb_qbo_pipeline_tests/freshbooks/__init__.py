"""Tests of the FreshBooks room."""

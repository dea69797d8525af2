"""Tests of the tables' schemas."""

"""Tests of the mapping: FreshBooks records in, intended QuickBooks documents or problems out."""

"""Tests of the webserver's guard."""

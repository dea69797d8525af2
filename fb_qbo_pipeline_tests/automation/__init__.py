"""Tests of schedules, sensors and alerts."""

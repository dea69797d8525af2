"""Dagster schedules, sensors and jobs."""

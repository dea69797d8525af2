"""The steps of the pipeline between the rooms, without Dagster: open, read, stage, post."""

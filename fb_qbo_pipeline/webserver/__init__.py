"""Dagster's webserver behind a guard; run it as `python -m fb_qbo_pipeline.webserver`, with the options of `dagster-webserver`."""

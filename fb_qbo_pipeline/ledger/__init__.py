"""The pipeline's own database: every table and every transaction."""

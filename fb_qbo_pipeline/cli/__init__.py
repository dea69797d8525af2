"""The fb-qbo commands."""

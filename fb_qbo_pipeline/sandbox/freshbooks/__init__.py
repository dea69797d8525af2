"""A stand-in of the FreshBooks API."""

"""FreshBooks: a thin client and typed records."""

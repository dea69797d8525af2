"""A strict stand-in of the QuickBooks Online API."""

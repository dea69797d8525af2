"""Pure mapping of FreshBooks records to intended QuickBooks documents."""

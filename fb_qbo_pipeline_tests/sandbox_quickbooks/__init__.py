"""The QuickBooks sandbox: each rule, through its app."""

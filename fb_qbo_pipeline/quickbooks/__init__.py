"""QuickBooks Online: a thin client and the company's lists."""

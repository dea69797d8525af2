"""Tests of the QuickBooks client and the company's lists."""

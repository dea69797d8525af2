"""Tests of the FreshBooks sandbox, the sample company and the sandbox server."""

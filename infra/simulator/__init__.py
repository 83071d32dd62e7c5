"""Robots that work a running installation as people would: through its public API, and a bank beside it."""

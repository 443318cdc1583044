"""Checks and trials of connections."""

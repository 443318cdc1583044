"""Counting: windows, waits, deals, coverage."""

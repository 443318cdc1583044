"""Radist.Online, read only."""
